#pragma once

#include "agent/process/run.hpp"
#include "agent/rollback/nginx.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

/// What a command of nginx came to, from how it ended and what it printed.
namespace flipback::rollback {

using ran = std::expected<process::finished, std::string>;

/// The end of what a command printed, fit for a sentence.
std::string last_words(std::string_view output);

/// Of a reload: yes where it exited 0; else can't tell, since it may have reloaded all the same. `what` names the command.
done reload_result(const ran& came_to, std::string_view what);

/// Of a test: yes where it exited 0. No only where nginx itself says that the configuration's test failed: docker, ssh and sudo exit with
/// the same numbers where they could not run it. A test that another user than root was refused access in, or that may not write where
/// nginx does, says nothing of the configuration.
done test_result(const ran& came_to, std::string_view what, bool as_root);

/// What stops a rollback where nginx's files, as they are, were tested with this; `typed`: by what a person tests them. "" where nothing
/// does.
std::string obstacle_by(const done& tested, const std::vector<std::string>& typed);
/// Whether that is a no: nginx has read its configuration, and refuses it.
bool is_a_refusal(std::string_view obstacle);

}  // namespace flipback::rollback

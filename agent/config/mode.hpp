#pragma once

#include "flipback/mode.hpp"

#include <cstdint>
#include <string_view>

/// The few words of the configuration that deciding rests on. Nothing here knows how they are read.
namespace flipback::config {

using flipback::mode;
using flipback::name_of;

/// How this host goes from one slot to the other (packaging/docs/configuration.md: "The switch").
enum class switch_kind : std::uint8_t { site, text, link, command };
std::string_view name_of(switch_kind k);

/// How nginx is made to read its configuration again.
enum class reload_kind : std::uint8_t { signal, systemd, command };
std::string_view name_of(reload_kind k);

}  // namespace flipback::config

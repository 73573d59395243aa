#pragma once

#include "flipback/secret.hpp"

#include <span>
#include <string>
#include <string_view>

namespace flipback::init {

/// What nginx stopped at ("[emerg] …"), or its first line, fit for a sentence of ours: bounded, without these secrets, and without the
/// words of its configuration that it repeats, of which any may be a password. The names of files that it could not open stay, and so do
/// the names of directives that it knows; where it stopped ("in /etc/nginx/nginx.conf:12") it says outside of quotes.
std::string complaint_in(std::string_view errors, std::span<const secret> hidden);

}  // namespace flipback::init

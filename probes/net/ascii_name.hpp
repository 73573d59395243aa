#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flipback::net {

/// What is wrong with a host whose name has letters beyond ASCII, and what to write in its place; nothing where it has none. Name servers,
/// certificates and the Host header have its ASCII form alone (RFC 5890).
std::optional<std::string> not_ascii(std::string_view host);

/// That form: "xn--bro-hoa.example" of "büro.example". Empty where it takes more than RFC 3492 to find it: capital letters, combining marks
/// and the like have to be mapped first.
std::string ascii_name(std::string_view host);

}  // namespace flipback::net

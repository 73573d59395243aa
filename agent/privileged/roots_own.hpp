#pragma once

#include <string>

/// Whom root may believe.
namespace flipback::privileged {

/// Why somebody else than root may decide what is found at this path: it, a folder on the way to it, or a link on the way and what that
/// leads to, belongs to another user, or may be written by others (of a file's and a folder's mode; an access list shows there, too). One
/// sentence with what to type; "" where root alone decides. Then nobody can swap anything between this look and a later use, either. What
/// does not exist is root's to make.
std::string not_roots_own(const std::string& path);

}  // namespace flipback::privileged

#pragma once

#include "agent/serve/http_message.hpp"

#include <string>

namespace flipback::serve {

/// Whether the request is a browser's, that shows a page to somebody.
bool wants_a_page(const request& what);

/// A file of the page, with the headers that let it load nothing from elsewhere and be shown in nobody's frame.
answer page_file(const std::string& name, const request& what);

}  // namespace flipback::serve

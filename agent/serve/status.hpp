#pragma once

#include "agent/generation.hpp"

#include <boost/json/object.hpp>

#include <string>

/// How it stands: the one page from which `flipback status`, the API and the events that it streams are written.
namespace flipback::serve {

/// What is known beside what a generation knows.
struct on_record {
  std::string incident;    ///< the id of the one that is open; empty: none is
  std::string unrecorded;  ///< why what happens is not on record; empty: it is
  std::string untold;      ///< why people are not told of it; empty: they are
  std::string rejected;    ///< when and why the configuration's file was refused; empty: it is what runs
};

boost::json::object status_as_object(generation& of, const on_record& known);
/// One screen: a word and what is so, a line each.
std::string status_as_text(generation& of, const on_record& known);

}  // namespace flipback::serve

#pragma once

#include "agent/init/host.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Which files are the two slots' of one thing.
namespace flipback::init {

/// "sites/blue.conf" → "sites/green.conf", and the other way round, where a word of it says which slot it is of; the last one that does.
std::optional<std::string> counterpart(std::string_view name);

/// "blue" or "green", by the last such word in it; empty: neither.
std::string slot_in(std::string_view name);

/// The file that says the same as this one but for an address: "…8000…" and "…8001…". Nothing where there is none, or several.
const text_file* twin_by_address(const text_file& of, const std::vector<text_file>& among);

/// Whether two files say the same but for the line ends at their end, which `nginx -T` does not keep.
bool say_the_same(std::string_view one, std::string_view other);

/// Whether an address, or what else it is, stands in both.
bool share_any(const std::vector<std::string>& some, const std::vector<std::string>& others);

}  // namespace flipback::init

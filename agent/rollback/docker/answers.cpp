#include "agent/rollback/docker/answers.hpp"

#include "flipback/quoted.hpp"

#include "agent/rollback/master_process.hpp"

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace flipback::rollback::docker {

namespace {

namespace json = boost::json;

constexpr unsigned newest_of_ours = 44;  // of version 1; each Engine since 1.24's speaks what is asked here
constexpr std::size_t longest_name = 128;

std::optional<std::string> text_in(const json::value& in, std::string_view pointer) {
  return net::text_at(in, pointer);
}

std::optional<pid_t> pid_of(double number) {
  const bool fits = number >= 0 && number <= std::numeric_limits<pid_t>::max();
  return fits ? std::optional(static_cast<pid_t>(number)) : std::nullopt;
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number read{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(read) : std::nullopt;
}

std::expected<net::json_document, std::string> document(const net::http_answer& answer) {
  if (answer.status != 200) return std::unexpected(said_in(answer));
  auto read = answer.json();
  if (!read) return std::unexpected(read.error().says);
  return *std::move(read);
}

}  // namespace

std::expected<std::string, std::string> version_for_both(const net::http_answer& ping) {
  constexpr std::string_view first = "1.";
  if (ping.status != 200) return std::unexpected(said_in(ping));
  const std::string* theirs = ping.header("Api-Version");
  if (theirs == nullptr) return std::unexpected("answered GET /_ping without a header Api-Version, so that it is no Docker Engine");
  const auto minor = theirs->starts_with(first) ? number_of<unsigned>(theirs->substr(first.size())) : std::nullopt;
  if (!minor) return std::unexpected(fmt::format("speaks version {} of the API, expected one such as 1.41", in_quotes(*theirs, {}, 20)));
  return fmt::format("1.{}", std::min(*minor, newest_of_ours));
}

std::string said_in(const net::http_answer& answer) {
  const auto read = answer.json();
  const auto message = read ? text_in(*read, "/message") : std::nullopt;
  return message ? fmt::format("answered {}: {}", answer.status, flipback::quoted(*message)) : fmt::format("answered {}", answer.status);
}

std::expected<container, std::string> container_in(const net::http_answer& answer) {
  const auto read = document(answer);
  if (!read) return std::unexpected(read.error());
  container made;
  made.id = text_in(*read, "/Id").value_or("");
  made.name = flipback::quoted(text_in(*read, "/Name").value_or(""), {}, longest_name);
  if (made.name.starts_with('/')) made.name.erase(0, 1);
  made.status = flipback::quoted(text_in(*read, "/State/Status").value_or(""), {}, longest_name);
  made.pid = pid_of(net::number_at(*read, "/State/Pid").value_or(0)).value_or(0);
  made.project = text_in(*read, "/Config/Labels/com.docker.compose.project").value_or("");
  made.service = text_in(*read, "/Config/Labels/com.docker.compose.service").value_or("");
  if (const auto* mounts = net::array_at(*read, "/Mounts")) {
    for (const json::value& each : *mounts) made.mounts.push_back(text_in(each, "/Destination").value_or(""));
  }
  // It goes into the paths of what is asked next.
  if (made.id.empty() || made.id.find_first_not_of("0123456789abcdef") != std::string::npos)
    return std::unexpected(fmt::format("answered with {} for the container's Id", in_quotes(made.id, {}, longest_name)));
  return made;
}

std::expected<std::vector<std::string>, std::string> names_in(const net::http_answer& list) {
  const auto read = document(list);
  if (!read) return std::unexpected(read.error());
  const auto* all = net::array_at(*read, "");
  if (all == nullptr) return std::unexpected("answered with no list of containers");
  std::vector<std::string> names;
  for (const json::value& each : *all) {
    if (text_in(each, "/Labels/com.docker.compose.oneoff") == "True") continue;  // `docker-compose run`: no part of the service
    std::string name = text_in(each, "/Names/0").value_or("?");
    if (name.starts_with('/')) name.erase(0, 1);
    names.push_back(flipback::quoted(name, {}, longest_name));
  }
  return names;
}

std::expected<std::vector<process_shown>, std::string> processes_in(const net::http_answer& top) {
  const auto read = document(top);
  if (!read) return std::unexpected(read.error());
  const auto* titles = net::array_at(*read, "/Titles");
  const auto* rows = net::array_at(*read, "/Processes");
  std::optional<std::size_t> pid;
  std::optional<std::size_t> parent;
  for (std::size_t i = 0; titles != nullptr && i < titles->size(); ++i) {
    if ((*titles)[i] == "PID") pid = i;
    if ((*titles)[i] == "PPID") parent = i;
  }
  if (!pid || !parent || rows == nullptr) return std::unexpected("shows processes without the columns PID and PPID");
  std::vector<process_shown> all;
  for (const json::value& row : *rows) {
    const auto* fields = row.if_array();
    if (fields == nullptr || fields->size() != titles->size()) return std::unexpected("shows processes with too few columns");
    const auto field = [&](std::size_t at) {
      const auto* text = (*fields)[at].if_string();
      return text == nullptr ? std::string_view() : std::string_view(*text);
    };
    const auto number = number_of<pid_t>(field(*pid));
    const auto of = number_of<pid_t>(field(*parent));
    if (!number || !of) return std::unexpected("shows processes without numbers");
    all.push_back({*number, *of, std::string(field(titles->size() - 1))});
  }
  return all;
}

std::optional<workers> workers_among(const std::vector<process_shown>& all, pid_t master) {
  if (!role_in(title_of(all, master)).starts_with("master process")) return std::nullopt;
  workers seen;
  for (const process_shown& each : all) {
    if (each.parent == master) add_worker(seen, each.pid, each.title);
  }
  return seen;
}

std::string title_of(const std::vector<process_shown>& all, pid_t pid) {
  const auto found = std::ranges::find(all, pid, &process_shown::pid);
  return found == all.end() ? std::string() : found->title;
}

// A frame: its stream's number (1 output, 2 error), three zeros, the length as four bytes, the greatest first, and that many bytes.
std::expected<std::string, std::string> output_in(std::string_view frames) {
  constexpr std::size_t head = 8;
  constexpr std::size_t length_at = 4;
  constexpr unsigned bits = 8;
  std::string all;
  while (!frames.empty()) {
    const bool is_head = frames.size() >= head && frames[0] >= 0 && frames[0] <= 2 && frames.substr(1, 3) == std::string_view("\0\0\0", 3);
    if (!is_head) return std::unexpected("sent a command's output in no frames");
    std::size_t length = 0;
    for (std::size_t i = length_at; i < head; ++i) length = (length << bits) | static_cast<unsigned char>(frames[i]);
    if (length > frames.size() - head) return std::unexpected("sent a command's output cut short");
    all += frames.substr(head, length);
    frames.remove_prefix(head + length);
  }
  return all;
}

std::expected<std::optional<int>, std::string> status_in(const net::http_answer& answer) {
  const auto read = document(answer);
  if (!read) return std::unexpected(read.error());
  const auto running = net::boolean_at(*read, "/Running");
  if (!running) return std::unexpected("does not say whether a command has ended");
  const auto status = net::number_at(*read, "/ExitCode");
  if (*running || !status) return std::nullopt;
  if (*status < 0 || *status > 255 || *status != std::trunc(*status))
    return std::unexpected("says of a command that it ended with a status that is none");  // as where the Engine has lost it
  return static_cast<int>(*status);
}

}  // namespace flipback::rollback::docker

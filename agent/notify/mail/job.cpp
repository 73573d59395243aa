#include "agent/notify/mail/job.hpp"

#include <boost/json.hpp>

#include <array>
#include <cstdint>
#include <utility>

namespace flipback::notify::mail {

namespace json = boost::json;

namespace {

// What a job has under which name: one list for writing and for reading.
constexpr std::array<std::pair<std::string_view, std::string job::*>, 8> texts{{{"server", &job::server},
                                                                                {"name", &job::name},
                                                                                {"ca_file", &job::ca_file},
                                                                                {"client_certificate", &job::client_certificate},
                                                                                {"client_key", &job::client_key},
                                                                                {"user", &job::user},
                                                                                {"from", &job::from},
                                                                                {"message", &job::message}}};
constexpr std::array<std::pair<std::string_view, bool job::*>, 4> choices{
    {{"tls", &job::tls}, {"starttls", &job::starttls}, {"verify", &job::verify}, {"newest_only", &job::newest_only}}};

}  // namespace

std::string job_text(const job& what) {
  json::object made{{"password", what.password.reveal()}, {"to", json::array(what.to.begin(), what.to.end())}, {"seconds", what.seconds}};
  for (const auto& [name, member] : texts) made[name] = what.*member;
  for (const auto& [name, member] : choices) made[name] = what.*member;
  return json::serialize(made);
}

std::optional<job> job_in(std::string_view text) {
  try {
    const json::value read = json::parse(text);
    job made;
    for (const auto& [name, member] : texts) made.*member = json::value_to<std::string>(read.at(name));
    for (const auto& [name, member] : choices) made.*member = read.at(name).as_bool();
    made.password = secret(json::value_to<std::string>(read.at("password")));
    made.to = json::value_to<std::vector<std::string>>(read.at("to"));
    made.seconds = json::value_to<std::uint32_t>(read.at("seconds"));
    return made;
  } catch (const std::exception&) {  // Boost.JSON says so where something is missing or of another type
    return std::nullopt;
  }
}

}  // namespace flipback::notify::mail

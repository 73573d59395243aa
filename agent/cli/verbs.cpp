#include "agent/cli/verbs.hpp"

#include "flipback/as_typed.hpp"
#include "flipback/one_line.hpp"
#include "flipback/quoted.hpp"

#include "agent/cli/watch.hpp"
#include "agent/incident/history.hpp"
#include "agent/serve/ask.hpp"
#include "agent/serve/incidents.hpp"
#include "agent/serve/typed_here.hpp"

#include <fmt/format.h>

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::cli {

namespace {

/// Who sits at the terminal, behind sudo too.
std::string own_name() {
  for (const char* variable : {"SUDO_USER", "LOGNAME", "USER"}) {
    const char* name = std::getenv(variable);
    if (name != nullptr && *name != '\0') return name;
  }
  const passwd* const known = ::getpwuid(::getuid());
  return known != nullptr ? known->pw_name : "";
}

}  // namespace

verbs::verbs(CLI::App& to, const std::string& configuration) : configuration_(configuration) {
  // Before the verb, after it, and between its words.
  const auto add_socket = [this](CLI::App* where) {
    where->add_option("--socket", socket_, "The agent's socket; default: the one of --config, or " + std::string(config::usual_socket))
        ->type_name("FILE");
  };
  add_socket(&to);
  const auto add = [&](const std::string& name, const std::string& what) {
    CLI::App* const made = to.add_subcommand(name, what)->fallthrough();  // --config may stand after the verb, too
    made->callback([this, name] { verb_ = name; });
    add_socket(made);
    return made;
  };
  const auto add_json = [&](CLI::App* verb) { verb->add_flag("--json", json_, "As JSON"); };
  add("healthy",
      "Say whether the agent itself is well, as a container's HEALTHCHECK asks: 0 it answers within 2 s, 1 it does not. Of the services "
      "that "
      "it watches this says nothing");
  add_json(add("status", "Say which slot is live, and what is not well"));
  CLI::App* const watching = add("watch", "Show status, live, until it is interrupted, or something is so");
  watching->add_option("--until", until_, "End with 0 once it is proven which slot users reach, or besides no incident is open (quiet)")
      ->check(CLI::IsMember({"proven", "quiet"}));
  watching->add_option("--for", length_, "No longer than that: then end with 1 where it waits for something: 30s, 15m")->type_name("TIME");
  add_json(add("rules", "List every rule with its verdict"));
  CLI::App* const incidents = add(
      "incidents", "List the incidents; of one: what broke, what was done and became of it, and what to type. Also while no agent runs");
  incidents->add_option("ID", incident_, "An incident's id, its beginning, or \"last\"");
  incidents->add_flag("--markdown", markdown_, "As Markdown, for a postmortem");
  incidents->add_flag("--svg", svg_, "How its rules went around it, as a picture: `> incident.svg`");
  add_json(incidents);
  add_json(add("log", "Print the operations' log: cutovers, decisions, steps, holds and outcomes. Also while no agent runs"));
  CLI::App* const explaining = add("explain", "Show all that a rule's verdict rests on, part by part");
  explaining->add_option("RULE", rule_, "The rule's name")->required();
  add_json(explaining);
  CLI::App* const rolling = add("rollback", "Roll back to the stable slot now, whatever the rules say");
  rolling->add_option("--reason", reason_, "Why: it is recorded, with your name")->required();
  CLI::App* const flipping = add("flip", "Put a slot live, and prove that users reach it: a cutover in one command");
  flipping->add_option("SLOT", slot_, "The slot's name")->required();
  flipping->add_option("--reason", reason_, "Why: it is recorded, with your name");
  flipping->add_flag("--force", force_, "Also a slot that is sick: what it answers does not put the switch back");
  add_json(add("drill", "Rehearse a rollback, all but the change: the way back, nginx, the slot, and whether it could be proven"));
  CLI::App* const holding = add("hold", "Let no automatic rollback act for a time");
  holding->add_option("--for", length_, "How long: 30m, 2h; to 7d")->required()->type_name("TIME");
  holding->add_option("--reason", reason_, "Why: it is recorded, with your name")->required();
  add("unhold", "End a hold");
  CLI::App* const acknowledging = add("ack", "Acknowledge what people were told of: it escalates no further, until it is over");
  acknowledging->add_option("--reason", reason_, "What you do about it: it is told, with your name")->required();
  add_json(add("notifications", "List what people were told, by which target, and whether it arrived"));
  CLI::App* const notifying = to.add_subcommand("notify", "Try the targets of notifications")->fallthrough();
  notifying->require_subcommand(1);
  add_socket(notifying);
  CLI::App* const trying =
      notifying->add_subcommand("test", "Send a trial to one target, or to all, and say what became of it")->fallthrough();
  trying->callback([this] { verb_ = "notify test"; });
  trying->add_option("TARGET", target_, "The target's name; default: all");
  add_socket(trying);
  CLI::App* const approving = add("approve", "Let a rollback act that waits for a person's word");
  approving->add_option("RULE", rule_, "The rule that asks; needed where several do");
  CLI::App* const window = to.add_subcommand("window", "Open or close the rollback window by hand")->fallthrough();
  window->require_subcommand(1);
  add_socket(window);
  const auto add_window = [&](const std::string& name, const std::string& what) {
    CLI::App* const made = window->add_subcommand(name, what)->fallthrough();
    made->callback([this, name] { verb_ = "window " + name; });
    add_socket(made);
    return made;
  };
  add_window("open", "Let rollback rules act from now on")->add_option("--stable", stable_, "The slot to go back to")->type_name("SLOT");
  add_window("close", "Let rollback rules only alert");
  add("unlatch", "Let a release be rolled back that was rolled back once")
      ->add_flag("--yes", yes_, "Also while a rule is breached, which may roll back at once");
  rolling->add_flag("--force", force_, "Also to a slot that is sick, or of which nothing is known");
}

/// What the configuration says that --config names; nothing without one.
std::optional<config::agent> verbs::configured() const {
  if (configuration_.empty()) return std::nullopt;
  // Another agent than the one that was meant must not be asked.
  if (::access(configuration_.c_str(), R_OK) != 0)
    throw std::runtime_error(fmt::format("can't read --config {}: {}; type the path of the agent's configuration, or its --socket",
                                         configuration_, std::strerror(errno)));
  settings::diagnostics problems;
  config::agent made = config::load(configuration_, {config::process_environment()}, problems).agent;
  // A secret that the operator may not read is no obstacle; a file that is none, or a mistake in [agent], hides which agent is meant.
  for (const settings::problem& p : problems.sorted()) {
    if (!p.says.starts_with("agent.") && !p.says.starts_with("is not TOML")) continue;
    throw std::runtime_error(fmt::format("which agent is meant can't be told: {}; mend it, or type --socket FILE", to_string(p)));
  }
  return made;
}

std::string verbs::socket() const {
  if (!socket_.empty()) return socket_;
  const auto from = configured();
  return from && !from->socket.empty() ? from->socket : std::string(config::usual_socket);
}

std::string verbs::state() const {
  return configured().value_or(config::agent{}).state;
}

/// The command line, again.
std::string verbs::typed() const {
  std::vector<std::string> argv{"flipback"};
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) argv.insert(argv.end(), {option, value});
  };
  add("--config", configuration_);
  add("--socket", socket_);
  for (std::string_view words = verb_; !words.empty();) {
    const std::string_view word = words.substr(0, words.find(' '));
    argv.emplace_back(word);
    words.remove_prefix(std::min(word.size() + 1, words.size()));
  }
  if (!rule_.empty()) argv.push_back(rule_);
  if (!slot_.empty()) argv.push_back(slot_);
  if (!incident_.empty()) argv.push_back(incident_);
  if (!target_.empty()) argv.push_back(target_);
  add("--for", length_);
  add("--stable", stable_);
  add("--until", until_);
  if (reason_) add("--reason", *reason_);
  for (const auto& [flag, is] : {std::pair{"--yes", yes_}, std::pair{"--force", force_}, std::pair{"--json", json_},
                                 std::pair{"--markdown", markdown_}, std::pair{"--svg", svg_}}) {
    if (is) argv.emplace_back(flag);
  }
  return as_typed(argv);
}

/// Whoever asks this ends an agent that does not answer: so it has an end, and a status that is no usage's.
int verbs::ask_whether_healthy() const {
  constexpr auto patience = std::chrono::seconds(2);
  const auto not_healthy = [](const std::string& why) {
    fmt::print(stderr, "flipback: {}\n", one_line(why));
    return 1;
  };
  try {
    const std::string path = socket();
    const auto answer = serve::ask(path, {verb_, {}, own_name()}, typed(), patience);
    if (!answer) return not_healthy(answer.error() + "; start the agent, restart it where it hangs, or name another --socket PATH");
    if (!answer->done) return not_healthy(answer->text);
    fmt::print("{}", whole_lines(answer->text));
    return 0;
  } catch (const std::exception& error) {
    return not_healthy(error.what());
  }
}

int verbs::watch_status() const {
  watch_options options{until_, std::nullopt};
  if (!length_.empty()) {
    const auto length = parse_duration(length_);
    if (!length || *length <= duration{}) {
      fmt::print(stderr, "flipback: found --for {}, expected a duration such as 30s or 15m\n", in_quotes(length_));
      return 2;
    }
    options.at_most = *length;
  }
  const std::string path = socket();
  constexpr duration patience = std::chrono::seconds(10);
  options.status_typed = serve::typed_here("`flipback status`", path);
  return watch(options, [&](const serve::demand& asked) -> std::expected<serve::reply, std::string> {
    auto answer = serve::ask(path, asked, typed(), patience);
    if (!answer) return std::unexpected(serve::typed_here(answer.error(), path));
    return answer;
  });
}

int verbs::run() const {
  if (verb_ == "healthy") return ask_whether_healthy();
  if (verb_ == "watch") return watch_status();
  serve::demand asked{verb_, {}, own_name()};
  if (json_) asked.values["json"] = "yes";
  if (!rule_.empty()) asked.values["rule"] = rule_;
  if (!incident_.empty()) asked.values["incident"] = incident_;
  if (!target_.empty()) asked.values["target"] = target_;
  if (markdown_) asked.values["markdown"] = "yes";
  if (svg_) asked.values["svg"] = "yes";
  if (reason_) asked.values["reason"] = *reason_;
  if (!length_.empty()) asked.values["for"] = length_;
  if (yes_) asked.values["yes"] = "yes";
  if (force_) asked.values["force"] = "yes";
  if (!stable_.empty()) asked.values["stable"] = stable_;
  if (!slot_.empty()) asked.values["slot"] = slot_;
  if (const auto wrong = serve::wrong_with(asked)) {
    fmt::print(stderr, "flipback: {}\n", one_line(*wrong));
    return 2;
  }
  const std::string path = socket();
  // Those wait for the end of a rollback or a flip, or for a target's answer; all others are answered at once, or by nobody.
  const bool waits = verb_ == "rollback" || verb_ == "flip" || verb_ == "drill" || verb_ == "approve" || verb_ == "notify test";
  constexpr duration patience = std::chrono::seconds(10);
  auto answer = serve::ask(path, asked, typed(), waits ? std::nullopt : std::optional(patience));
  const bool knows_whose = socket_.empty() || !configuration_.empty();  // a socket alone does not say where its agent's state is
  if (!answer && knows_whose && serve::asks_what_happened(asked)) {
    const std::string file = incident::history::file_beside(state());
    fmt::print(stderr, "note: {}; this is what {} says\n", one_line(answer.error()), one_line(file));
    if (::access(file.c_str(), F_OK) != 0) {
      fmt::print(stderr, "flipback: there is no {}: {}; type --config with the agent's own file, as whoever may read its state\n",
                 one_line(file), std::strerror(errno));
      return 2;
    }
    answer = serve::what_happened({file, {}}, asked, path);
    answer->text = serve::typed_here(std::move(answer->text), path);
  }
  if (!answer) {
    fmt::print(stderr, "flipback: {}\n", one_line(serve::typed_here(answer.error(), path)));
    return 2;
  }
  fmt::print(answer->done ? stdout : stderr, "{}", json_ ? answer->text : whole_lines(answer->text));
  return answer->wrong ? 2 : answer->done && !answer->is_no ? 0 : 1;
}

}  // namespace flipback::cli

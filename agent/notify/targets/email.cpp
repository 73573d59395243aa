#include "flipback/quoted.hpp"
#include "flipback/shown_item.hpp"

#include "agent/notify/mail/job.hpp"
#include "agent/notify/mail/message.hpp"
#include "agent/notify/targets/kinds.hpp"
#include "agent/process/run.hpp"
#include "probes/net/tls_settings.hpp"
#include "probes/net/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace flipback::notify {

namespace {

using std::chrono::seconds;

constexpr std::string_view an_address = R"(an address such as "ops@example.com" or "Ops <ops@example.com>")";
// Of the run's time: the program ends by itself a second after its own, and before it would be ended.
constexpr duration for_its_end = seconds(2);
constexpr duration to_be_ended = std::chrono::milliseconds(500);

/// Beside the agent's own program, or where the package puts it.
std::string mail_program() {
  std::error_code failed;
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
  std::string beside = here / "flipback-mail";
  return process::can_be_started(beside) ? beside : std::string(here.parent_path() / "lib" / "flipback" / "flipback-mail");
}

struct terms {
  mail::job job;  ///< without a message
  mail::mailbox from;
  std::vector<mail::mailbox> to;
};

class email_target final : public target {
 public:
  email_target(net::network& through, terms t) : through_(through), terms_(std::move(t)), hidden_{terms_.job.password} {}

  [[nodiscard]] bool takes(subject) const override { return true; }

  asio::awaitable<attempt> deliver(const letter& what, const std::string& kept, run& r) override {
    mail::job job = terms_.job;
    job.message = mail::message_of(what, terms_.from, terms_.to, kept);
    const duration left = r.deadline - std::chrono::steady_clock::now();
    job.seconds = static_cast<unsigned>(std::max(seconds(1), std::chrono::floor<seconds>(left - for_its_end)).count());
    std::vector<std::string> argv;
    argv.push_back(mail_program());
    const auto ran = co_await process::run(through_.executor(), std::move(argv), left - to_be_ended, process::usual_output,
                                           process::outputs::together, mail::job_text(job));
    attempt made = attempt_of(ran);
    if (made.is == attempt::result::delivered) made.kept = kept.empty() ? mail::subject_of(what) : kept;
    co_return made;
  }

 private:
  [[nodiscard]] attempt attempt_of(const std::expected<process::finished, std::string>& ran) const {
    using enum attempt::result;
    if (!ran) return {not_yet, ran.error()};
    if (ran->timed_out) return {not_yet, fmt::format("{} had not taken the mail in time", terms_.job.server)};
    if (ran->status == static_cast<int>(mail::ending::delivered)) return {};
    const std::string says = quoted(ran->output, hidden_);
    if (ran->status == static_cast<int>(mail::ending::in_part)) return {delivered, says};
    if (ran->status == static_cast<int>(mail::ending::refused)) return {refused, says};
    if (ran->status == static_cast<int>(mail::ending::not_yet)) return {not_yet, says};
    return {not_yet, fmt::format("flipback-mail ended with status {}; it says {}", ran->status, in_quotes(ran->output, hidden_))};
  }

  net::network& through_;
  terms terms_;
  std::vector<secret> hidden_;
};

void read_server(settings::section& from, mail::job& into) {
  into.server = from.required_text("server", "smtp.example.com:587");
  if (into.server.empty()) return;
  const auto place = net::parse_endpoint(into.server);
  if (!place || !place->socket_path.empty()) {
    from.report("server", fmt::format("found {}, which {}; expected a host and its port, such as \"smtp.example.com:587\"",
                                      from.shown("server"), place ? "is a socket" : place.error()));
    return;
  }
  into.name = place->host;
}

void read_security(settings::section& from, mail::job& into) {
  const std::string how = from.choice("tls", "starttls", {"starttls", "tls", "none"});
  into.tls = how == "tls";
  into.starttls = how == "starttls";
  const net::tls_options tls = net::read_tls_options(from);
  into.verify = tls.verify;
  into.ca_file = tls.ca_file;
  into.client_certificate = tls.client_certificate;
  into.client_key = tls.client_key;
  into.newest_only = tls.newest_only;
  if (!tls.server_name.empty()) into.name = tls.server_name;
}

void read_login(settings::section& from, mail::job& into) {
  into.user = from.text("user", "");
  into.password = from.hidden("password").value_or(secret());
  const bool has_password = from.has("password") || from.has("password_file");
  if (into.user.empty() != !has_password)
    from.report_here(has_password ? "has a password and no user, expected both" : "has a user and no password, expected both");
  if (has_password && !into.tls && !into.starttls)
    from.report("tls", R"(found "none" beside a password, which would be sent for everybody to read; expected "starttls" or "tls")");
}

mail::mailbox read_sender(settings::section& from) {
  const std::string text = from.required_text("from", "Flipback <flipback@example.com>");
  const auto read = mail::mailbox_in(text);
  if (!read && !text.empty()) from.report("from", fmt::format("found {}, expected {}", from.shown("from"), an_address));
  return read.value_or(mail::mailbox());
}

std::vector<mail::mailbox> read_receivers(settings::section& from) {
  std::vector<mail::mailbox> made;
  const std::vector<std::string> texts = from.texts("to");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (const auto read = mail::mailbox_in(texts[i]))
      made.push_back(*read);
    else
      from.report("to", fmt::format("found {}, expected {}", settings::shown_item(from, "to", i), an_address));
  }
  if (!from.has("to")) from.report("to", R"(is missing, expected addresses such as ["ops@example.com"])");
  if (from.has("to") && texts.empty()) from.report("to", R"(has no address, expected some, such as ["ops@example.com"])");
  return made;
}

}  // namespace

std::unique_ptr<target> make_email_target(settings::section& from, net::network& through) {
  terms t;
  read_server(from, t.job);
  read_security(from, t.job);
  read_login(from, t.job);
  t.from = read_sender(from);
  t.to = read_receivers(from);
  t.job.from = t.from.address;
  for (const mail::mailbox& one : t.to) t.job.to.push_back(one.address);
  from.finish();
  return std::make_unique<email_target>(through, std::move(t));
}

}  // namespace flipback::notify

#include "agent/notify/mail/hand_over.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace flipback::notify::mail {

namespace {

using session = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using list = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

list list_of(const std::vector<std::string>& texts) {
  list made(nullptr, curl_slist_free_all);
  for (const std::string& text : texts) {
    curl_slist* longer = curl_slist_append(made.get(), text.c_str());
    if (longer == nullptr) break;
    static_cast<void>(made.release());
    made.reset(longer);
  }
  return made;
}

std::size_t give_message(char* into, std::size_t size, std::size_t count, void* rest_of_it) {
  auto& rest = *static_cast<std::string_view*>(rest_of_it);
  const std::size_t taken = std::min(size * count, rest.size());
  std::memcpy(into, rest.data(), taken);
  rest.remove_prefix(taken);
  return taken;
}

/// What the server refused last, and what of that was a receiver.
struct refusals {
  std::string any;
  std::string of_a_receiver;
  bool is_asked_for_receivers = false;
};

/// Each line that we say and that the server answers comes here.
int hear(CURL*, curl_infotype kind, char* line, std::size_t size, void* into) {
  auto& all = *static_cast<refusals*>(into);
  const std::string_view said(line, size);
  if (kind == CURLINFO_HEADER_OUT) all.is_asked_for_receivers = said.starts_with("RCPT ");
  if (kind != CURLINFO_HEADER_IN || !(said.starts_with('4') || said.starts_with('5'))) return 0;
  all.any = said;
  if (all.is_asked_for_receivers) all.of_a_receiver = said;
  return 0;
}

void say_whom(CURL* to, const job& what) {
  const std::string port = what.server.substr(what.server.rfind(':'));
  const std::string name = what.name.contains(':') ? fmt::format("[{}]", what.name) : what.name;
  const std::string url = fmt::format("{}://{}{}", what.tls ? "smtps" : "smtp", name, port);
  curl_easy_setopt(to, CURLOPT_URL, url.c_str());
  curl_easy_setopt(to, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  if (what.user.empty()) return;
  curl_easy_setopt(to, CURLOPT_USERNAME, what.user.c_str());
  curl_easy_setopt(to, CURLOPT_PASSWORD, what.password.reveal().c_str());
}

void say_tls(CURL* to, const job& what) {
  curl_easy_setopt(to, CURLOPT_USE_SSL, static_cast<long>(what.tls || what.starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  curl_easy_setopt(to, CURLOPT_SSLVERSION, static_cast<long>(what.newest_only ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(to, CURLOPT_SSL_VERIFYPEER, what.verify ? 1L : 0L);
  curl_easy_setopt(to, CURLOPT_SSL_VERIFYHOST, what.verify ? 2L : 0L);
  if (!what.ca_file.empty()) curl_easy_setopt(to, CURLOPT_CAINFO, what.ca_file.c_str());
  if (what.client_certificate.empty()) return;
  curl_easy_setopt(to, CURLOPT_SSLCERT, what.client_certificate.c_str());
  curl_easy_setopt(to, CURLOPT_SSLKEY, what.client_key.c_str());
}

/// A login that is refused, and a server that wants one or TLS (530, 534, 535, 538), is mended by somebody; every other 5xx is of the mail
/// or its receivers.
ending ending_of(CURLcode error, long status) {
  if (error == CURLE_OK) return ending::delivered;
  constexpr std::array<long, 4> of_the_login{530, 534, 535, 538};
  const bool is_of_the_login = error == CURLE_LOGIN_DENIED || std::ranges::find(of_the_login, status) != of_the_login.end();
  return status / 100 == 5 && !is_of_the_login ? ending::refused : ending::not_yet;
}

/// What libcurl says of a connection that has ended is a number of the system's, which is of something else by then.
std::string in_words(CURLcode error, const char* detail) {
  switch (error) {
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_WEIRD_SERVER_REPLY:
      return "the server hung up, or does not speak SMTP";
    case CURLE_OPERATION_TIMEDOUT:
      return "the server has not taken it in time";
    case CURLE_USE_SSL_FAILED:
      return "the server offers no STARTTLS, which starttls = true asks for";
    default:
      return *detail != 0 ? detail : curl_easy_strerror(error);
  }
}

}  // namespace

struct delivery::parts {
  session to{curl_easy_init(), curl_easy_cleanup};
  refusals refused;
};

delivery::delivery() : parts_(std::make_unique<parts>()) {}
delivery::~delivery() = default;

handed_over delivery::hand_over(const job& what) {
  const session& to = parts_->to;
  const list receivers = list_of(what.to);
  const list place = list_of({"::" + what.server});
  if (!to || !receivers || !place) return {ending::not_yet, "no memory"};
  std::string_view rest = what.message;
  std::array<char, CURL_ERROR_SIZE> why{};
  say_whom(to.get(), what);
  say_tls(to.get(), what);
  // The name of the certificate stands in the URL, and this says where that is; no proxy of the environment is asked.
  curl_easy_setopt(to.get(), CURLOPT_CONNECT_TO, place.get());
  curl_easy_setopt(to.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(to.get(), CURLOPT_MAIL_FROM, what.from.c_str());
  curl_easy_setopt(to.get(), CURLOPT_MAIL_RCPT, receivers.get());
  curl_easy_setopt(to.get(), CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  curl_easy_setopt(to.get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(to.get(), CURLOPT_READFUNCTION, give_message);
  curl_easy_setopt(to.get(), CURLOPT_READDATA, &rest);
  curl_easy_setopt(to.get(), CURLOPT_VERBOSE, 1L);
  curl_easy_setopt(to.get(), CURLOPT_DEBUGFUNCTION, hear);
  curl_easy_setopt(to.get(), CURLOPT_DEBUGDATA, &parts_->refused);
  curl_easy_setopt(to.get(), CURLOPT_ERRORBUFFER, why.data());
  curl_easy_setopt(to.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(to.get(), CURLOPT_TIMEOUT, static_cast<long>(what.seconds));
  const CURLcode error = curl_easy_perform(to.get());
  long status = 0;
  curl_easy_getinfo(to.get(), CURLINFO_RESPONSE_CODE, &status);

  const std::vector<secret> hidden{what.password};
  const ending is = ending_of(error, status);
  const auto& [any, of_a_receiver, asked] = parts_->refused;
  if (is == ending::delivered && of_a_receiver.empty()) return {is, fmt::format("{} took it", what.server)};
  if (is == ending::delivered)
    return {ending::in_part,
            fmt::format("{} did not take it for all receivers: it answered {}", what.server, in_quotes(of_a_receiver, hidden))};
  if (!any.empty()) return {is, fmt::format("{} answered {}", what.server, in_quotes(any, hidden))};
  return {is, fmt::format("{}: {}", what.server, quoted(in_words(error, why.data()), hidden))};
}

}  // namespace flipback::notify::mail

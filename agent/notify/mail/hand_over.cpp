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

/// Each line that the server says comes here; the last is kept.
std::size_t keep_line(const char* line, std::size_t size, std::size_t count, void* last) {
  *static_cast<std::string*>(last) = std::string(line, size * count);
  return size * count;
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

}  // namespace

handed_over hand_over(const job& what) {
  const session to(curl_easy_init(), curl_easy_cleanup);
  const list receivers = list_of(what.to);
  const list place = list_of({"::" + what.server});
  if (!to || !receivers || !place) return {ending::not_yet, "no memory"};
  std::string_view rest = what.message;
  std::string last_line;
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
  curl_easy_setopt(to.get(), CURLOPT_HEADERFUNCTION, keep_line);
  curl_easy_setopt(to.get(), CURLOPT_HEADERDATA, &last_line);
  curl_easy_setopt(to.get(), CURLOPT_ERRORBUFFER, why.data());
  curl_easy_setopt(to.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(to.get(), CURLOPT_TIMEOUT, static_cast<long>(what.seconds));
  const CURLcode error = curl_easy_perform(to.get());
  long status = 0;
  curl_easy_getinfo(to.get(), CURLINFO_RESPONSE_CODE, &status);

  handed_over made{ending_of(error, status), {}};
  const std::vector<secret> hidden{what.password};
  const std::string_view reason = why.front() != 0 ? why.data() : curl_easy_strerror(error);
  if (status >= 400)
    made.says = fmt::format("{} answered {}", what.server, in_quotes(last_line, hidden));
  else if (error != CURLE_OK)
    made.says = fmt::format("{}: {}", what.server, quoted(reason, hidden));
  else
    made.says = fmt::format("{} took it", what.server);
  return made;
}

}  // namespace flipback::notify::mail

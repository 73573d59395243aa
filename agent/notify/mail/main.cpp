// flipback-mail: hands one mail to an SMTP server. Started by the agent for each mail, with the job on standard input; a program of its
// own, so that what libcurl takes of memory is taken for as long as it does something.

#include "agent/notify/mail/hand_over.hpp"

#include <curl/curl.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

int main() {
  namespace mail = flipback::notify::mail;
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  const auto job = mail::job_in(text);
  if (!job) {
    std::puts("flipback-mail is started by flipback, with a mail as JSON on standard input");
    return static_cast<int>(mail::ending::refused);
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const mail::handed_over done = mail::hand_over(*job);
  curl_global_cleanup();
  std::puts(done.says.c_str());
  return static_cast<int>(done.is);
}

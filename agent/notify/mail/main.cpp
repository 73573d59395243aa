// flipback-mail: hands one mail to an SMTP server. Started by the agent for each mail, with the job on standard input; a program of its
// own, so that what libcurl takes of memory is taken for as long as it does something.

#include "agent/notify/mail/hand_over.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

namespace mail = flipback::notify::mail;

// What is known when the time is up: libcurl waits for a server's answer to QUIT, which may never come, for as long as two minutes.
volatile std::sig_atomic_t status = static_cast<int>(mail::ending::not_yet);
volatile std::sig_atomic_t is_told = 0;

void time_is_up(int) {
  constexpr std::string_view late = "the server has not taken it in time\n";
  if (is_told == 0) static_cast<void>(::write(STDOUT_FILENO, late.data(), late.size()));
  ::_exit(status);
}

int ended(mail::ending how, const std::string& says) {
  status = static_cast<int>(how);
  std::puts(says.c_str());
  std::fflush(stdout);
  is_told = 1;
  return status;
}

}  // namespace

int main() {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  const auto job = mail::job_in(text);
  if (!job) return ended(mail::ending::refused, "flipback-mail is started by flipback, with a mail as JSON on standard input");
  std::signal(SIGALRM, time_is_up);
  ::alarm(job->seconds + 1);
  mail::delivery way;
  const mail::handed_over done = way.hand_over(*job);
  ::alarm(1);
  return ended(done.is, done.says);
}

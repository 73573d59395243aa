#include "flipback/base64.hpp"

#include "a_letter.hpp"
#include "agent/notify/mail/job.hpp"
#include "agent/notify/mail/message.hpp"
#include "targets/receiver.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

using namespace flipback;
using namespace flipback::notify;
using texts = std::vector<std::string>;

// How real servers take it is in tests/system/test_mail.py.

namespace {

const mail::mailbox agent{"Flipback", "flipback@example.com"};
const std::vector<mail::mailbox> ops{{"", "ops@example.com"}, {"Björn", "b@example.com"}};

/// The lines of a mail's headers, in order.
texts headers(const std::string& message) {
  texts all;
  std::istringstream lines(message.substr(0, message.find("\r\n\r\n")));
  for (std::string line; std::getline(lines, line);) all.push_back(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
  return all;
}

std::string header(const std::string& message, const std::string& name) {
  for (const std::string& line : headers(message)) {
    if (line.starts_with(name + ": ")) return line.substr(name.size() + 2);
  }
  return "";
}

}  // namespace

TEST_CASE("a_mail_has_its_own_id_and_those_of_a_matter_one_that_no_mail_has") {
  const std::string message = mail::message_of(an_incident(), agent, ops, "");
  CHECK(headers(message) ==
        texts{"From: Flipback <flipback@example.com>", "To: ops@example.com,", " =?utf-8?B?QmrDtnJu?= <b@example.com>",
              "Subject: error-rate is breached on green with 1.5.0: 12.1% > 5%", "Date: Fri, 27 Nov 2026 09:04:13 +0000",
              "Message-ID: <flipback.20261127T090411.791Z.1@example.com>", "In-Reply-To: <flipback.20261127T090411.791Z@example.com>",
              "References: <flipback.20261127T090411.791Z@example.com>", "Auto-Submitted: auto-generated", "Importance: high",
              "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"});
  const std::string second = mail::message_of(ended(an_incident()), agent, ops, mail::subject_of(an_incident()));
  CHECK(header(second, "Subject") == "Re: error-rate is breached on green with 1.5.0: 12.1% > 5%");
  CHECK(header(second, "Message-ID") == "<flipback.20261127T090411.791Z.3@example.com>");
  CHECK(header(second, "References") == header(message, "References"));
  CHECK(header(second, "Importance") == "");
}

TEST_CASE("a_mail_says_number_limit_deed_proof_and_what_to_type") {
  const std::string message = mail::message_of(an_incident(), agent, ops, "");
  CHECK(message.substr(message.find("\r\n\r\n") + 4) ==
        "error-rate is breached on green with 1.5.0: 12.1% > 5%\r\n"
        "\r\n"
        "Users reach blue with 1.4.2: proven at 09:04:13Z.\r\n"
        "Type: flipback status\r\n"
        "Also ill: redis: connecting to 127.0.0.1:6379 was refused\r\n"
        "\r\n"
        "09:04:11Z error-rate is breached: 12.1% > 5%\r\n"
        "09:04:12Z rolling back to blue\r\n"
        "\r\n"
        "https://ops.example.com/flipback/incidents/20261127T090411.791Z\r\n"
        "\r\n"
        "--=20\r\n"
        "=46lipback, 20261127T090411.791Z/1\r\n");
}

TEST_CASE("nothing_in_a_letter_becomes_a_header_of_its_own") {
  letter what = an_incident();
  what.title = "x\r\nBcc: evil@example.com\r\n\r\nbody";
  what.matter = "m\r\nBcc: evil@example.com>";
  const std::string message = mail::message_of(what, agent, ops, "y\r\nBcc: evil@example.com");
  CHECK(headers(message).size() == 13);
  for (const std::string& line : headers(message)) CHECK_FALSE(line.starts_with("Bcc"));
  const std::string first = mail::message_of(what, agent, ops, "");
  for (const std::string& line : headers(first)) CHECK_FALSE(line.starts_with("Bcc"));
}

TEST_CASE("what_is_not_ascii_is_encoded_in_words_of_whole_characters") {
  CHECK(mail::encoded("plain", "Subject") == "plain");
  CHECK(mail::encoded("é", "Subject") == "=?utf-8?B?w6k=?=");
  CHECK(mail::encoded("=?utf-8?B?w6k=?=", "Subject") != "=?utf-8?B?w6k=?=");
  std::string accents;
  for (int i = 0; i < 60; ++i) accents += "aé";
  std::istringstream words(mail::encoded(accents, "Subject"));
  std::string read;
  for (std::string word; std::getline(words, word);) {
    CHECK(word.size() <= 78);
    const std::size_t begin = word.find("?B?") + 3;
    const auto bytes = from_base64(word.substr(begin, word.find("?=", begin) - begin));
    REQUIRE(bytes);
    CHECK(bytes->back() != 0xC3);
    read.append(bytes->begin(), bytes->end());
  }
  CHECK(read == accents);
}

TEST_CASE("a_body_is_quoted_printable") {
  CHECK(mail::quoted_printable("a=b\n.x \nFrom é\n") == "a=3Db\r\n=2Ex=20\r\n=46rom =C3=A9\r\n");
  CHECK(mail::quoted_printable(std::string(80, 'x')) == std::string(75, 'x') + "=\r\n" + std::string(5, 'x'));
  CHECK(mail::quoted_printable("a\rb") == "a=0Db");
}

TEST_CASE("an_address_is_taken_apart_or_is_none") {
  const auto read = mail::mailbox_in("Ops Team <ops@example.com>");
  REQUIRE(read);
  CHECK(read->name == "Ops Team");
  CHECK(read->address == "ops@example.com");
  CHECK(mail::mailbox_in("ops+page@example.com")->name == "");
  for (const char* none : {"", "ops", "@example.com", "ops@", "ops@example.com\r\nBcc: x@y", "x\n <ops@example.com>", "a b@example.com",
                           "\"x\" <ops@example.com>", "ops@exa mple.com", "<ops@example.com", "a@b@c"}) {
    CAPTURE(std::string(none));
    CHECK_FALSE(mail::mailbox_in(none));
  }
}

TEST_CASE("a_job_is_read_as_it_was_written") {
  mail::job what;
  what.server = "smtp.example.com:587";
  what.name = "smtp.example.com";
  what.starttls = true;
  what.user = "flipback";
  what.password = secret("hunter22");
  what.from = "flipback@example.com";
  what.to = {"ops@example.com"};
  what.message = "From: x\r\n\r\n\"y\"";
  what.seconds = 20;
  const auto read = mail::job_in(mail::job_text(what));
  REQUIRE(read);
  CHECK(mail::job_text(*read) == mail::job_text(what));
  CHECK(read->password == what.password);
  CHECK_FALSE(mail::job_in("{}"));
  CHECK_FALSE(mail::job_in("no JSON"));
}

TEST_CASE("keys_of_mail_that_are_wrong_are_told") {
  CHECK(problems("email", "").size() == 3);
  const std::string rest = "\nfrom = \"a@example.com\"\nto = [\"b@example.com\"]";
  CHECK(problems("email", "server = \"smtp.example.com:587\"" + rest).empty());
  CHECK(problems("email", "server = \"smtp.example.com\"" + rest).size() == 1);
  CHECK(problems("email", "server = \"smtp.example.com:25\"\ntls = \"none\"\nuser = \"x\"\npassword = \"hunter22\"" + rest) ==
        texts{"2:7: notify.x.tls: found \"none\" beside a password, which would be sent for everybody to read; expected \"starttls\" or "
              "\"tls\""});
  CHECK(problems("email", "server = \"smtp.example.com:25\"\nfrom = \"a@example.com\"\nto = [\"b@example.com\", \"ops\"]") ==
        texts{"3:6: notify.x.to: found \"ops\", expected an address such as \"ops@example.com\" or \"Ops <ops@example.com>\""});
  CHECK(problems("email", "server = \"smtp.example.com:25\"\nuser = \"x\"" + rest) ==
        texts{"1:1: notify.x: has a user and no password, expected both"});
}

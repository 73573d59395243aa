#pragma once

#include "agent/notify/mail/job.hpp"

#include <memory>
#include <string>

namespace flipback::notify::mail {

struct handed_over {
  ending is = ending::not_yet;
  std::string says;  ///< one line: what the server answered last, or why there was no answer
};

/// One mail on its way. Where the object goes it takes leave of the server, which may take as long as the server likes.
class delivery {
 public:
  delivery();
  ~delivery();
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;

  /// Hands the mail to its server, and waits for that. It is delivered where the server took it for one of the receivers at least.
  handed_over hand_over(const job& what);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace flipback::notify::mail

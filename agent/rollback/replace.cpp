#include "agent/rollback/replace.hpp"

#include "agent/rollback/beside.hpp"
#include "agent/rollback/file_image.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace flipback::rollback {

namespace {

int rename_how(const std::string& from, const std::string& to, unsigned how) {
  return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), how) == 0 ? 0 : errno;
}

bool is_unknown(int error) {
  return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

put_result foreign(const std::string& path) {
  return {.is = put_result::kind::foreign,
          .says = fmt::format("{} was changed by somebody else in the last instant, and says again what they wrote", path)};
}

put_result not_replaced(const std::string& path, int error) {
  return {.is = put_result::kind::failed, .says = cant("replace", path, error)};
}

put_result not_given_back(const std::string& path, const std::string& aside) {
  const std::string theirs = beside(path, dotfile::theirs);
  const bool moved = rename_how(aside, theirs, RENAME_NOREPLACE) == 0;
  return {.is = put_result::kind::cant_tell,
          .says = fmt::format("{} was changed by somebody else twice in the same instant; what they wrote first is in {}", path,
                              moved ? theirs : aside)};
}

put_result rename_over(const std::string& path, const std::string& source, const std::string& kept, const file_image& other) {
  const std::string spare = beside(path, dotfile::trial);
  ::unlink(spare.c_str());
  const bool has_spare = ::linkat(AT_FDCWD, path.c_str(), AT_FDCWD, spare.c_str(), 0) == 0;
  const auto give_up = [&](put_result r) {
    ::unlink(spare.c_str());
    return r;
  };
  if (!says(path, other)) return give_up(foreign(path));
  if (const int error = rename_how(source, path, 0); error != 0) return give_up(not_replaced(path, error));
  if (!has_spare) return {};
  rename_how(spare, kept, 0);
  return give_up({});
}

}  // namespace

bool says(const std::string& path, const file_image& image) {
  const auto now = read_image(path);
  return now && now->says_the_same_as(image);
}

put_result replace(const std::string& path, const std::string& source, const std::string& kept, const file_image& other, step_kind how) {
  if (how == step_kind::rename) return rename_over(path, source, kept, other);
  if (!says(path, other)) return foreign(path);
  const auto ours = read_image(source);
  if (!ours) return {.is = put_result::kind::failed, .says = ours.error()};
  const int error = rename_how(source, path, RENAME_EXCHANGE);
  if (is_unknown(error)) return rename_over(path, source, kept, other);
  if (error != 0) return not_replaced(path, error);
  if (says(source, other)) {
    if (source != kept) rename_how(source, kept, 0);
    return {};
  }
  if (rename_how(source, path, RENAME_EXCHANGE) == 0 && says(source, *ours)) return foreign(path);
  return not_given_back(path, source);
}

put_result appear(const std::string& path, const std::string& source) {
  int error = rename_how(source, path, RENAME_NOREPLACE);
  if (is_unknown(error)) error = says(path, {}) ? rename_how(source, path, 0) : EEXIST;
  if (error == EEXIST) return foreign(path);
  return error == 0 ? put_result{} : not_replaced(path, error);
}

put_result vanish(const std::string& path, const std::string& kept, const file_image& other) {
  if (!says(path, other)) return foreign(path);
  if (const int error = rename_how(path, kept, 0); error != 0)
    return error == ENOENT ? foreign(path) : put_result{.is = put_result::kind::failed, .says = cant("take away", path, error)};
  if (says(kept, other)) return {};
  return rename_how(kept, path, RENAME_NOREPLACE) == 0 ? foreign(path) : not_given_back(path, kept);
}

}  // namespace flipback::rollback

#include "flipback/small_file.hpp"

#include "agent/config/environment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <expected>
#include <utility>

namespace flipback::config {

namespace {

std::string_view stripped(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Without the mark of its byte order, and with line ends of one character.
std::string plain(std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  for (std::size_t at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n", at)) text.erase(at, 1);
  return text;
}

/// A value, and where in the text what follows it begins.
struct value_read {
  std::string value;
  std::size_t end = 0;
};
using value_or_why = std::expected<value_read, std::string>;

/// `begin`: of what stands after the double quote.
value_or_why between_quotes(std::string_view text, std::size_t begin) {
  std::string made;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '"') return value_read{std::move(made), i + 1};
    if (text[i] != '\\' || i + 1 == text.size()) {
      made += text[i];
      continue;
    }
    const char next = text[++i];
    if (next == 'n')
      made += '\n';
    else if (next == 't')
      made += '\t';
    else if (next == '"' || next == '\\' || next == '$')
      made += next;
    else
      (made += '\\') += next;
  }
  return std::unexpected("its quote is never closed");
}

value_or_why quoted_value(std::string_view text, std::size_t begin) {
  if (text[begin] == '"') return between_quotes(text, begin + 1);
  const std::size_t close = text.find('\'', begin + 1);
  if (close == std::string_view::npos) return std::unexpected("its quote is never closed");
  return value_read{std::string(text.substr(begin + 1, close - begin - 1)), close + 1};
}

/// The value that begins at `begin`, which may be the line's end; of a quoted one the rest of its last line belongs to it.
value_or_why value_at(std::string_view text, std::size_t begin) {
  begin = std::min(text.find_first_not_of(" \t\r", begin), text.size());
  const auto line_end = [text](std::size_t at) { return std::min(text.find('\n', at), text.size()); };
  if (begin < text.size() && (text[begin] == '"' || text[begin] == '\'')) {
    value_or_why made = quoted_value(text, begin);
    if (!made) return made;
    const std::size_t end = line_end(made->end);
    const std::string_view rest = stripped(text.substr(made->end, end - made->end));
    if (!rest.empty() && !rest.starts_with('#')) return std::unexpected("there is something after its closing quote");
    made->end = end;
    return made;
  }
  const std::size_t end = line_end(begin);
  const std::string_view line = text.substr(begin, end - begin);
  if (line.starts_with('#')) return value_read{{}, end};
  return value_read{std::string(stripped(line.substr(0, std::min(line.find(" #"), line.find("\t#"))))), end};
}

class env_text {
 public:
  env_text(const std::string& file, std::string_view text, environment& set, variables& into)
      : file_(&file), text_(text), set_(&set), into_(&into) {}

  void read() {
    for (std::size_t at = 0; at < text_.size();) at = line(at) + 1;
    if (passed_over_.empty()) return;
    constexpr std::size_t enough = 5;
    const std::size_t shown = std::min(passed_over_.size(), enough);
    const std::string more = passed_over_.size() > shown ? fmt::format(" and {} more", passed_over_.size() - shown) : "";
    into_->notes.push_back(fmt::format("{}: passed over {}{}", *file_,
                                       fmt::join(passed_over_.begin(), passed_over_.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                                       more));
  }

 private:
  /// Reads the line that begins there, and what its value needs of the following ones; where it ends.
  std::size_t line(std::size_t begin) {
    const std::size_t end = std::min(text_.find('\n', begin), text_.size());
    while (counted_ < begin) number_ += text_[counted_++] == '\n' ? 1U : 0U;
    std::string_view here = stripped(text_.substr(begin, end - begin));
    if (here.empty() || here.starts_with('#')) return end;
    if (here.starts_with("export ")) here = stripped(here.substr(7));
    const std::size_t equals = here.find('=');
    const std::string name(stripped(here.substr(0, equals)));
    if (!is_variable_name(name)) {
      pass_over("(expected NAME=value)");  // the line is not shown: it may hold a secret
      return end;
    }
    if (equals == std::string_view::npos) {
      pass_over("(has no =)");
      into_->unread.insert_or_assign(name, unread_line{{*file_, number_, 0}, "has no value there", true});
      return end;
    }
    value_or_why value = value_at(text_, static_cast<std::size_t>(here.data() - text_.data()) + equals + 1);
    if (!value) {
      pass_over(fmt::format("({}: {})", name, value.error()));
      set_->erase(name);
      into_->unread.insert_or_assign(name, unread_line{{*file_, number_, 0}, value.error(), false});
      return end;
    }
    into_->unread.erase(name);
    set_->insert_or_assign(name, std::move(value->value));
    return value->end;
  }

  void pass_over(const std::string& why) { passed_over_.push_back(fmt::format("line {} {}", number_, why)); }

  const std::string* file_;
  std::string_view text_;
  environment* set_;
  variables* into_;
  std::uint32_t number_ = 1;
  std::size_t counted_ = 0;  ///< how far the line ends have been counted
  std::vector<std::string> passed_over_;
};

}  // namespace

std::string why_unread(std::string_view name, const unread_line& line) {
  return fmt::format("{} {}: {}:{}: {}", name, line.is_bare ? "is not set" : "can't be read", line.at.file, line.at.line, line.why);
}

variables read_env_files(const std::vector<env_file>& files, const environment& from, settings::diagnostics& problems) {
  variables made;
  environment from_files;
  for (const env_file& file : files) {
    auto text = read_small_file(file.path);
    if (!text) {
      problems.add(file.named_at, fmt::format("{}: can't read \"{}\": {}", file.named_by, file.path, text.error()));
      continue;
    }
    const std::string all = plain(*std::move(text));
    env_text(file.path, all, from_files, made).read();
  }
  made.set = from;
  made.set.merge(from_files);  // keeps what is there
  for (const auto& [name, value] : made.set) made.unread.erase(name);
  return made;
}

}  // namespace flipback::config

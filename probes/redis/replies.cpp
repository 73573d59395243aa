#include "probes/redis/replies.hpp"

#include <hiredis/hiredis.h>

#include <array>
#include <charconv>

namespace flipback::redis {

namespace {

constexpr std::size_t answer_limit = 1024 * 1024;

net::failure no_redis() {
  return {reason::bad_answer, "the answer is not Redis' protocol"};
}

}  // namespace

conversation::conversation(net::stream& on) : on_(on), reader_(redisReaderCreate()) {}
conversation::~conversation() {
  redisReaderFree(reader_);
}

void conversation::say(const std::vector<std::string>& command) {
  std::vector<const char*> words;
  std::vector<std::size_t> lengths;
  for (const std::string& word : command) {
    words.push_back(word.data());
    lengths.push_back(word.size());
  }
  char* formatted = nullptr;
  const auto size = redisFormatCommandArgv(&formatted, static_cast<int>(words.size()), words.data(), lengths.data());
  if (size < 0) throw std::bad_alloc();
  unsent_.append(formatted, static_cast<std::size_t>(size));
  redisFreeCommand(formatted);
}

asio::awaitable<net::result<void>> conversation::send() {
  const std::string all = std::exchange(unsent_, {});
  co_return co_await on_.write(asio::buffer(all));
}

asio::awaitable<net::result<reply>> conversation::next() {
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    void* found = nullptr;
    if (redisReaderGetReply(reader_, &found) != REDIS_OK) co_return std::unexpected(no_redis());
    if (found != nullptr) {
      const std::unique_ptr<redisReply, decltype(&freeReplyObject)> owned(static_cast<redisReply*>(found), &freeReplyObject);
      reply made;
      made.is_error = owned->type == REDIS_REPLY_ERROR;
      if (owned->str != nullptr) made.text.assign(owned->str, static_cast<std::size_t>(owned->len));
      co_return made;
    }
    const auto size = co_await on_.read_some(asio::buffer(buffer));
    if (!size) co_return std::unexpected(size.error());
    if (*size == 0) co_return std::unexpected(net::failure{reason::closed, "it hung up before its answer was whole"});
    read_ += *size;
    if (read_ > answer_limit) co_return std::unexpected(net::failure{reason::too_large, "the answer is longer than 1MiB"});
    if (redisReaderFeed(reader_, buffer.data(), *size) != REDIS_OK) co_return std::unexpected(no_redis());
  }
}

std::optional<double> info_number(std::string_view info, std::string_view name) {
  for (std::size_t at = 0; at < info.size();) {
    const std::size_t end = std::min(info.find('\n', at), info.size());
    std::string_view line = info.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    line.remove_prefix(name.size() + 1);
    double value = 0;
    if (std::from_chars(line.data(), line.data() + line.size(), value).ec == std::errc{}) return value;
  }
  return std::nullopt;
}

}  // namespace flipback::redis

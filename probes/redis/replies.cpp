#include "probes/redis/replies.hpp"

#include <hiredis/hiredis.h>

#include <array>
#include <memory>
#include <utility>

namespace flipback::redis {

namespace {

constexpr std::size_t answer_limit = 1024 * 1024;
constexpr std::size_t most_elements = 64 * 1024;

net::failure no_redis() {
  return {reason::bad_answer, "the answer is not Redis' protocol"};
}

/// Where what hiredis has read belongs: into the array that it is an element of, or, for the outermost, into a reply that hiredis owns.
reply* place_of(const redisReadTask* task) {
  if (task->parent == nullptr) return std::make_unique<reply>().release();
  return &static_cast<reply*>(task->parent->obj)->elements[static_cast<std::size_t>(task->idx)];
}

void* make_text(const redisReadTask* task, char* text, std::size_t size) {
  reply* made = place_of(task);
  made->is_error = task->type == REDIS_REPLY_ERROR;
  made->text.assign(text, size);
  return made;
}

/// How hiredis counts elements: `int` before its version 1.0, `size_t` since.
template <typename T>
T counted_by(void* (*)(const redisReadTask*, T));
using element_count = decltype(counted_by(std::declval<redisReplyObjectFunctions>().createArray));

/// hiredis' own would allocate whatever number of elements a peer names.
void* make_array(const redisReadTask* task, element_count elements) {
  const auto count = static_cast<std::size_t>(elements);
  if (count > most_elements) return nullptr;
  reply* made = place_of(task);
  made->elements.resize(count);
  return made;
}

void* make_number(const redisReadTask* task, long long value) {
  reply* made = place_of(task);
  made->text = std::to_string(value);
  return made;
}

void* make_nothing(const redisReadTask* task) {
  return place_of(task);
}

void give_back(void* outermost) {
  const std::unique_ptr<reply> owned(static_cast<reply*>(outermost));
}

redisReplyObjectFunctions makers{
    .createString = make_text, .createArray = make_array, .createInteger = make_number, .createNil = make_nothing, .freeObject = give_back};

}  // namespace

conversation::conversation(net::stream& on) : on_(on), reader_(redisReaderCreateWithFunctions(&makers)) {}
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
      const std::unique_ptr<reply> owned(static_cast<reply*>(found));
      read_ = 0;
      co_return std::move(*owned);
    }
    const auto size = co_await on_.read_some(asio::buffer(buffer));
    if (!size) co_return std::unexpected(size.error());
    if (*size == 0) co_return std::unexpected(net::failure{reason::closed, "it hung up before its answer was whole"});
    read_ += *size;
    if (read_ > answer_limit) co_return std::unexpected(net::failure{reason::too_large, "the answer is longer than 1MiB"});
    if (redisReaderFeed(reader_, buffer.data(), *size) != REDIS_OK) co_return std::unexpected(no_redis());
  }
}

}  // namespace flipback::redis

#include "tests/simulation/story.hpp"

#include "tests/simulation/host.hpp"
#include "tests/simulation/people.hpp"

#include <utility>

namespace flipback::simulation {

namespace {

using condition = slots_model::condition;

constexpr duration quiet = seconds(100);

/// A story while it is being told.
class telling {
 public:
  telling(dice chance, setup how, bool plain, std::function<void(const std::string&)> line)
      : plain_(plain), world_(chance, std::move(how)), watched_(world_), host_(world_, watched_), people_(world_, host_, watched_) {
    world_.told = std::move(line);
  }

  told_story run();

 private:
  void prepare();
  bool go_on(duration until);
  void run_plain();
  void run_eventful();

  bool plain_;
  world world_;
  invariants watched_;
  host host_;
  people people_;
};

void telling::prepare() {
  world_.tell("{}", text_of(world_.how));
  world_.slots.deploy(0, "v1", condition::well, {});
  world_.slots.deploy(1, !plain_ && world_.chance.chance(0.1) ? "v1" : "v2", condition::well, {});
  for (std::size_t f = 0; f < world_.how.files; ++f)
    world_.disk.place(world_.nginx.live_path(f), world_.nginx.image_for(0, f), world_.now().wall, disk_model::author::nobody);
  world_.nginx.start();
  const auto every_second = [this](const auto& again) -> void {
    if (world_.nginx.runs()) world_.traffic.take(world_.time.now(), world_.nginx, world_.slots);
    world_.time.after(seconds(1), [again] { again(again); });
  };
  every_second(every_second);
  host_.start_agent();
}

/// Lets things happen until then; false where a promise was broken.
bool telling::go_on(duration until) {
  while (watched_.broken().empty() && world_.time.next(until)) host_.bury();
  return watched_.broken().empty();
}

/// Nothing is out of order but the release: it must be rolled back.
void telling::run_plain() {
  if (!go_on(seconds(20))) return;
  people_.cut_over(1);
  if (!go_on(world_.time.now() + world_.chance.between(seconds(5), seconds(40)))) return;
  world_.tell("green turns out to be bad");
  world_.slots.become(1, condition::bad, world_.time.now());
  const duration since = world_.time.now();
  if (!go_on(since + seconds(30 + 10 + 20))) return;
  watched_.must_have_rolled_back(since);
}

void telling::run_eventful() {
  dice& chance = world_.chance;
  if (chance.chance(0.3)) host_.dies_at_a_step = 0.02;
  if (chance.chance(0.6)) {
    // A release that is bad, and what happens while it is rolled back.
    if (!go_on(seconds(20))) return;
    people_.cut_over(1);
    if (!go_on(world_.time.now() + seconds(8))) return;
    world_.slots.become(1, condition::bad, world_.time.now());
    world_.tell("green turns out to be bad");
    watched_.touched();
    if (!go_on(world_.time.now() + chance.between(seconds(5), seconds(35)))) return;
    for (std::size_t n = 1 + chance.below(8); n > 0; --n) {
      people_.do_something();
      host_.bury();
      if (!go_on(world_.time.now() + chance.between(milliseconds(1), chance.chance(0.5) ? milliseconds(400) : milliseconds(4000)))) return;
    }
  }
  const duration mean = seconds(5 + chance.below(25));
  const duration length = seconds(60 + chance.below(340));
  if (!go_on(seconds(8))) return;
  while (world_.time.now() < length) {
    people_.do_something();
    host_.bury();
    if (!go_on(world_.time.now() + chance.between(milliseconds(50), mean * 2))) return;
  }
  people_.leave_in_peace();
  host_.dies_at_a_step = 0;
  if (!go_on(world_.time.now() + quiet)) return;
  // What has ended in this very moment is yet to be forgotten by the journal.
  if (host_.agent() != nullptr && host_.agent()->state().closing && !go_on(world_.time.now() + seconds(10))) return;
  if (host_.agent() == nullptr) return;
  watched_.settled(host_.agent()->state(), host_.agent()->present(), host_.agent()->rolls_back());
}

told_story telling::run() {
  prepare();
  if (plain_)
    run_plain();
  else
    run_eventful();
  return {watched_.broken(), world_.steps, watched_.figures()};
}

}  // namespace

told_story tell_story(std::uint64_t seed, std::function<void(const std::string&)> line) {
  dice chance(dice(seed).roll());  // neighbours are no relatives
  const bool plain = chance.chance(0.2);
  setup how = plain ? draw_plain_setup(chance) : draw_setup(chance);
  telling one(chance, std::move(how), plain, std::move(line));
  return one.run();
}

}  // namespace flipback::simulation

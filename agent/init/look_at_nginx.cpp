#include "agent/init/look_at_nginx.hpp"

#include "flipback/as_typed.hpp"
#include "flipback/quoted.hpp"
#include "flipback/small_file.hpp"

#include "agent/init/nginx_complaint.hpp"
#include "agent/init/pairs.hpp"
#include "agent/process/run.hpp"
#include "probes/nginx/dump.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <expected>
#include <set>
#include <string>
#include <utility>

namespace flipback::init {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest_dump = 8 * 1024 * 1024;
constexpr std::size_t most_files = 512;
constexpr auto patience = std::chrono::seconds(10);

using ran = std::expected<process::finished, std::string>;

ran run_and_wait(std::vector<std::string> argv) {
  boost::asio::io_context loop(1);
  ran came_to = std::unexpected("it was not started");
  boost::asio::co_spawn(loop, process::run(loop.get_executor(), std::move(argv), patience, longest_dump, process::outputs::apart),
                        [&](const std::exception_ptr& thrown, ran got) {
                          if (!thrown) came_to = std::move(got);
                        });
  loop.run();
  return came_to;
}

/// What the env files set, and each word of it: a configuration of nginx's is often filled in from there.
std::vector<secret> secrets_of(const config::variables& set) {
  std::vector<secret> all;
  for (const auto& [name, value] : set.set) hide_sent(all, value);
  return all;
}

std::expected<std::string, std::string> dump_of(const std::string& binary, const std::vector<secret>& hidden) {
  const ran came_to = run_and_wait({binary, "-T"});
  if (!came_to) return std::unexpected(came_to.error());
  if (came_to->timed_out) return std::unexpected(fmt::format("it has not ended within {}", format_duration(patience)));
  if (came_to->status == 0 && !nginx::files_in(came_to->output).empty()) return came_to->output;
  const std::string complaint = complaint_in(came_to->errors, hidden);
  const std::string more = ::geteuid() == 0 ? "" : "; as root more can be seen: type `sudo` before the command";
  return std::unexpected(fmt::format("its exit status is {}, and it says {}; type `{}` to see all that it says{}", came_to->status,
                                     complaint.empty() ? "nothing of use" : complaint, as_typed(std::array<std::string, 2>{binary, "-t"}),
                                     more));
}

/// The links through which a path leads, the outermost first.
void add_links(const fs::path& path, std::vector<link>& into) {
  fs::path at;
  for (const fs::path& part : path) {
    at /= part;
    std::error_code unseen;
    if (!fs::is_symlink(at, unseen)) continue;
    const fs::path target = fs::read_symlink(at, unseen);
    if (!unseen && std::ranges::find(into, at.string(), &link::path) == into.end()) into.push_back({at.string(), target.string()});
  }
}

/// The folders in which a slot's files may stand: those of nginx's own files, sites-available beside sites-enabled, and those to which the
/// links lead, with their twins.
std::set<fs::path> folders_beside(const std::vector<nginx::dumped_file>& files, const std::vector<link>& links) {
  std::set<fs::path> found;
  const auto add_with_twin = [&](const fs::path& path) {
    found.insert(path.parent_path());
    if (const auto twin = counterpart(path.string())) found.insert(fs::path(*twin).parent_path());
  };
  for (const nginx::dumped_file& file : files) {
    const fs::path folder = fs::path(file.path).parent_path();
    add_with_twin(file.path);
    if (folder.filename() == "sites-enabled") found.insert(folder.parent_path() / "sites-available");
  }
  for (const link& l : links) {
    const fs::path target = (fs::path(l.path).parent_path() / l.target).lexically_normal();
    add_with_twin(target);
    std::error_code unseen;
    if (!fs::is_directory(target, unseen)) continue;
    found.insert(target);
    if (const auto twin = counterpart(target.string())) found.insert(*twin);
  }
  return found;
}

std::vector<fs::path> names_of_files_in(const std::set<fs::path>& folders, std::vector<std::string>& untold) {
  std::vector<fs::path> found;
  for (const fs::path& folder : folders) {
    std::error_code ended;
    for (fs::directory_iterator at(folder, ended); !ended && at != fs::directory_iterator(); at.increment(ended)) {
      std::error_code unseen;
      if (at->is_regular_file(unseen)) found.push_back(at->path());
    }
    if (ended && ended != std::errc::no_such_file_or_directory)
      untold.push_back(fmt::format("what stands in {}: {}", folder.string(), ended.message()));
  }
  std::ranges::sort(found);
  return found;
}

std::vector<text_file> files_in(const std::set<fs::path>& folders, std::vector<std::string>& untold) {
  std::vector<fs::path> names = names_of_files_in(folders, untold);
  if (names.size() > most_files) {
    untold.push_back(fmt::format("what {} files beside nginx's say: there are {}, and the first {} by their names are read",
                                 names.size() - most_files, names.size(), most_files));
    names.resize(most_files);
  }
  std::vector<text_file> found;
  std::vector<std::string> unread;
  for (const fs::path& name : names) {
    if (auto text = read_small_file(name.string()))
      found.push_back({name.string(), *std::move(text)});
    else
      unread.push_back(fmt::format("{} {}", name.string(), text.error()));
  }
  if (!unread.empty())
    untold.push_back(fmt::format("what {} of the files beside nginx's say: the first is {}", unread.size(), unread.front()));
  return found;
}

}  // namespace

void look_at_nginx(const std::vector<fs::path>& programs, host& seen) {
  const auto at =
      std::ranges::find_if(programs, [](const fs::path& folder) { return process::can_be_started((folder / "nginx").string()); });
  if (at == programs.end()) {
    seen.untold.emplace_back("nginx's sites, upstreams and logs: there is no nginx on this host");
    return;
  }
  std::error_code unseen;
  const fs::path folder = fs::canonical(*at, unseen);  // /sbin is /usr/sbin
  nginx_seen found{.binary = ((unseen ? *at : folder) / "nginx").string()};
  auto dump = dump_of(found.binary, secrets_of(seen.variables));
  if (!dump) {
    seen.untold.push_back(fmt::format("nginx's sites, upstreams and logs: {} -T can't be had: {}", found.binary, dump.error()));
    return;
  }
  found.dump = *std::move(dump);
  const std::vector<nginx::dumped_file> files = nginx::files_in(found.dump);
  for (const nginx::dumped_file& file : files) add_links(file.path, found.links);
  found.beside = files_in(folders_beside(files, found.links), seen.untold);
  seen.nginx = std::move(found);
}

}  // namespace flipback::init

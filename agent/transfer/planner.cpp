#include "agent/transfer/planner.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "agent/transfer/file.hpp"
#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

struct directory_closer {
  void operator()(DIR* directory) const { closedir(directory); }
};
using directory_handle = std::unique_ptr<DIR, directory_closer>;

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

bool has_wildcard(const std::string& text) {
  return text.find_first_of("*?") != std::string::npos;
}

std::string join(const std::string& directory, const std::string& name) {
  if (directory.empty() || directory.back() == '/') return directory + name;
  return directory + "/" + name;
}

// Walks one specification.
class walker {
 public:
  walker(const formats::transfer_spec& spec, std::uint32_t index, const planner_options& options,
         const std::function<void(plan_item)>& add, std::uint64_t& count)
      : spec_(spec), index_(index), options_(options), add_(add), count_(count) {}

  std::optional<plan_failure> run() {
    std::string path = spec_.source;
    if (path.empty() || path.front() != '/') path = join(options_.root, path);
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    std::vector<std::string> parts = split(path.substr(1), '/');
    expand("/", parts, 0);
    if (!failure_ && found_ == 0 && !cancelled()) fail_item(path, render(messages::BFGIO0001E, name_to_text(path)));
    return failure_;
  }

 private:
  bool cancelled() const { return options_.cancelled != nullptr && options_.cancelled->load(); }
  bool stop() const { return failure_.has_value() || cancelled(); }

  // Matches the path's components one by one; what the last one matches is a source.
  void expand(const std::string& base, const std::vector<std::string>& parts, std::size_t index) {
    std::size_t fixed = index;
    std::string path = base;
    while (fixed < parts.size() && !has_wildcard(parts[fixed])) path = join(path, parts[fixed++]);
    if (fixed == parts.size()) return source(path, false);
    if (fixed + 1 == parts.size() && spec_.recursive) return match_below(path, parts[fixed], "");
    each_entry(path, [&](const std::string& name) {
      if (!wildcard_match(parts[fixed], name)) return;
      if (fixed + 1 == parts.size())
        source(join(path, name), true);
      else
        expand(join(path, name), parts, fixed + 1);
    });
  }

  // A pattern with -r: every matching file below, with the directories between kept.
  void match_below(const std::string& directory, const std::string& pattern, const std::string& relative) {
    each_entry(directory, [&](const std::string& name) {
      const std::string path = join(directory, name);
      struct stat about {};
      if (lstat(path.c_str(), &about) != 0) return;
      if (S_ISDIR(about.st_mode))
        match_below(path, pattern, join(relative, name));
      else if (wildcard_match(pattern, name))
        add_file(path, join(relative, name), about);
    });
  }

  void source(const std::string& path, bool matched) {
    struct stat about {};
    if (lstat(path.c_str(), &about) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return;  // run() says so when nothing at all is found
      return fail_item(path, render(messages::BFGIO0003E, name_to_text(path), system_text(errno)));
    }
    if (!S_ISDIR(about.st_mode)) return add_file(path, path.substr(path.rfind('/') + 1), about);
    if (matched && !spec_.recursive) return;  // a wildcard means files
    if (spec_.kind != formats::destination_kind::directory) {
      failure_ = plan_failure{40, render(messages::BFGTR0010E, name_to_text(path))};
      return;
    }
    ++found_;
    walk(path, matched ? path.substr(path.rfind('/') + 1) : "", about);
  }

  void walk(const std::string& directory, const std::string& relative, const struct stat& about) {
    bool empty = true;
    each_entry(directory, [&](const std::string& name) {
      empty = false;
      const std::string path = join(directory, name);
      struct stat entry {};
      if (lstat(path.c_str(), &entry) != 0) {
        if (errno != ENOENT) fail_item(path, render(messages::BFGIO0003E, name_to_text(path), system_text(errno)));
        return;
      }
      if (!S_ISDIR(entry.st_mode))
        add_file(path, join(relative, name), entry);
      else if (spec_.recursive)
        walk(path, join(relative, name), entry);
    });
    if (empty && readable_ && spec_.recursive && !relative.empty()) add_directory(directory, relative, about);
  }

  void each_entry(const std::string& directory, const std::function<void(const std::string&)>& on) {
    const directory_handle handle(opendir(directory.c_str()));
    readable_ = handle != nullptr;
    if (!handle) {
      if (errno == ENOENT || errno == ENOTDIR) return;
      return fail_item(directory, render(messages::BFGIO0907E, name_to_text(directory), system_text(errno)));
    }
    while (!stop()) {
      const dirent* entry = readdir(handle.get());
      if (entry == nullptr) break;
      const std::string name = entry->d_name;
      if (name != "." && name != "..") on(name);
    }
    readable_ = true;
  }

  std::string destination_of(const std::string& relative) const {
    return spec_.kind == formats::destination_kind::directory ? join(spec_.destination, relative) : spec_.destination;
  }

  void add_file(const std::string& path, const std::string& relative, const struct stat& about) {
    ++found_;
    if (!S_ISREG(about.st_mode)) {
      return fail_item(path, render(messages::BFGIO0002E, name_to_text(path), kind_of(about.st_mode)));
    }
    plan_item item;
    item.source = path;
    item.destination = destination_of(relative);
    item.identity = identity_of(about);
    item.mode = about.st_mode & 0777;
    add(std::move(item));
  }

  void add_directory(const std::string& path, const std::string& relative, const struct stat& about) {
    plan_item item;
    item.kind = formats::item_kind::directory;
    item.source = path;
    item.destination = destination_of(relative);
    item.identity = identity_of(about);
    item.identity.size = 0;
    item.mode = about.st_mode & 0777;
    add(std::move(item));
  }

  void fail_item(const std::string& path, std::string text) {
    ++found_;
    plan_item item;
    item.source = path;
    item.failure = std::move(text);
    add(std::move(item));
  }

  void add(plan_item item) {
    if (spec_.kind == formats::destination_kind::file && ++to_one_file_ > 1) {
      failure_ =
          plan_failure{40, render(messages::BFGTR0009E, name_to_text(spec_.source), name_to_text(spec_.destination))};
      return;
    }
    if (options_.files_max > 0 && count_ >= options_.files_max) {
      failure_ = plan_failure{46, render(messages::BFGTR0017E, "maxFilesForTransfer", options_.files_max)};
      return;
    }
    item.spec = index_;
    item.number = count_++;
    add_(std::move(item));
  }

  const formats::transfer_spec& spec_;
  const std::uint32_t index_;
  const planner_options& options_;
  const std::function<void(plan_item)>& add_;
  std::uint64_t& count_;
  std::uint64_t found_ = 0, to_one_file_ = 0;
  bool readable_ = true;
  std::optional<plan_failure> failure_;
};

}  // namespace

std::optional<plan_failure> make_plan(const formats::transfer_request& request, const planner_options& options,
                                      const std::function<void(plan_item)>& add) {
  std::uint64_t count = 0;
  for (std::uint32_t i = 0; i < request.specs.size(); ++i) {
    if (auto failure = walker(request.specs[i], i, options, add, count).run()) return failure;
  }
  return std::nullopt;
}

}  // namespace baton::transfer

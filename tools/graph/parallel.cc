// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/parallel.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "lib/json_text.h"

namespace iptrk {
namespace {

struct Worker {
  pid_t process = -1;
  std::filesystem::path result;
};

nlohmann::json ResultOf(SiteContext& context, std::size_t first,
                        std::size_t count, std::size_t step,
                        const std::function<void(std::size_t)>& work) {
  nlohmann::json result = {{"problems", nlohmann::json::array()}};
  context.gallery.BeginShare();
  context.problems.clear();
  try {
    for (std::size_t i = first; i < count; i += step) work(i);
  } catch (const std::exception& error) {
    result["error"] = error.what();
  }
  for (const Problem& problem : context.problems)
    result["problems"].push_back({problem.path, problem.what});
  result["files"] = context.gallery.Share();
  return result;
}

// In the child: never returns.
[[noreturn]] void Work(const std::filesystem::path& path,
                       const std::function<nlohmann::json()>& make) {
  std::ofstream file(path, std::ios::binary);
  file << JsonText(make());
  file.close();
  _exit(file ? 0 : 1);  // destructors are the parent's
}

void TakeOver(SiteContext& context, const Worker& worker) {
  int status = 0;
  while (waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
  }
  std::ifstream file(worker.result, std::ios::binary);
  const auto result = nlohmann::json::parse(file, nullptr, false);
  if (status != 0 || !result.is_object())
    throw std::runtime_error(fmt::format(
        "a process that draws pages ended early (wait status {}); is there "
        "room in {} and memory?",
        status, worker.result.parent_path().string()));
  context.gallery.TakeOver(result.at("files"));
  for (const auto& problem : result.at("problems"))
    context.problems.push_back({problem.at(0), problem.at(1)});
  if (result.contains("error"))
    throw std::runtime_error(result.at("error").get<std::string>());
}

}  // namespace

void InParallel(SiteContext& context, std::size_t count,
                const std::function<void(std::size_t)>& work) {
  const std::size_t processes = std::min<std::size_t>(
      count, std::max(1u, std::thread::hardware_concurrency()));
  std::vector<Worker> workers;
  for (std::size_t i = 0; i < processes; ++i) {
    Worker worker{-1, context.scratch.path() / fmt::format("share-{}", i)};
    worker.process = fork();
    if (worker.process == 0)
      Work(worker.result,
           [&] { return ResultOf(context, i, count, processes, work); });
    if (worker.process < 0 && workers.empty())
      throw std::system_error(errno, std::generic_category(), "fork");
    if (worker.process < 0) {  // done here instead, with what there is
      for (std::size_t left = i; left < processes; ++left)
        for (std::size_t k = left; k < count; k += processes) work(k);
      break;
    }
    workers.push_back(worker);
  }
  std::string failed;
  for (const Worker& worker : workers) {
    try {
      TakeOver(context, worker);
    } catch (const std::exception& error) {
      failed = error.what();
    }
  }
  if (!failed.empty()) throw std::runtime_error(failed);
}

}  // namespace iptrk

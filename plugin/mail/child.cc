// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "lib/fd.h"

namespace iptrk::mail {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Fd read;
  Fd write;
};

std::optional<Pipe> OpenPipe() {
  std::array<int, 2> ends = {};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

void Limit(int resource, std::uint64_t value) {
  const rlimit limit = {value, value};
  setrlimit(resource, &limit);
}

// In the child of a process with many threads: nothing here may allocate or
// take a lock.
[[noreturn]] void Become(char* const* argv, const ChildLimits& limits,
                         int output) {
  struct sigaction plain = {};
  plain.sa_handler = SIG_DFL;
  for (int number = 1; number < SIGRTMIN; ++number) {
    sigaction(number, &plain, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setpgid(0, 0);
  errno = 0;
  (void)!nice(10);
  Limit(RLIMIT_FSIZE, limits.file_bytes);
  Limit(RLIMIT_CORE, 0);
  const int input = open("/dev/null", O_RDONLY);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close_range(3, ~0U, 0);
  execv(argv[0], argv);
  const char* why = std::strerror(errno);
  for (const char* word : {static_cast<const char*>(argv[0]), ": ", why}) {
    (void)!write(STDERR_FILENO, word, std::strlen(word));
  }
  _exit(127);
}

}  // namespace

ChildResult RunChild(const std::vector<std::string>& command,
                     const ChildLimits& limits, const std::stop_token& stop) {
  ChildResult result;
  std::vector<char*> argv;
  for (const std::string& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  std::optional<Pipe> pipe = OpenPipe();
  const pid_t child = pipe ? fork() : -1;
  if (child == 0) Become(argv.data(), limits, pipe->write.get());
  if (child < 0) {
    result.end = ChildResult::End::kNotStarted;
    result.said = std::strerror(errno);
    return result;
  }
  setpgid(child, child);  // whoever is first
  pipe->write = Fd();

  const Clock::time_point deadline = Clock::now() + limits.time;
  bool open = true;
  // Whether it had said something.
  const auto listen = [&](int wait_ms) {
    pollfd poll_fd = {pipe->read.get(), POLLIN, 0};
    if (poll(&poll_fd, 1, wait_ms) <= 0) return false;
    std::array<char, 4096> buffer;
    const ssize_t n = read(pipe->read.get(), buffer.data(), buffer.size());
    open = n > 0 || (n < 0 && errno == EINTR);
    if (n <= 0) return false;
    result.said.append(buffer.data(),
                       std::min(static_cast<std::size_t>(n),
                                limits.said_bytes - result.said.size()));
    return true;
  };
  while (true) {
    if (open) {
      listen(50);
    } else {
      poll(nullptr, 0, 5);
    }
    // Gone also when somebody else's handler was first (ECHILD).
    const pid_t ended = waitpid(child, nullptr, WNOHANG);
    if (ended == child || (ended < 0 && errno == ECHILD && !open)) break;
    const bool stopped = stop.stop_requested();
    if (!stopped && Clock::now() < deadline) continue;
    result.end =
        stopped ? ChildResult::End::kStopped : ChildResult::End::kTooLong;
    kill(-child, SIGKILL);
    waitpid(child, nullptr, 0);
    break;
  }
  // What it said last; something that it started may talk on for ever.
  while (open && result.said.size() < limits.said_bytes && listen(0)) {
  }
  return result;
}

}  // namespace iptrk::mail

// SPDX-License-Identifier: GPL-2.0-only
#include "lib/config_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace iptrk {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ConfigFileTest : public testing::Test {
 protected:
  ConfigFileTest() {
    char name[] = "/tmp/iptrk-config-XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ / "iptrk.toml";
  }
  ~ConfigFileTest() override { fs::remove_all(directory_); }

  // Clock ticks, not sleeps, tell two states of a file apart: so each write
  // has a time of its own here.
  void Write(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    const timespec times[] = {{0, UTIME_OMIT}, {++now_, 0}};
    utimensat(AT_FDCWD, path.c_str(), times, 0);
  }
  void Write(const std::string& text) { Write(path_, text); }

  static std::string Interval(int seconds) {
    return "[collectd]\ninterval = " + std::to_string(seconds) + "\n";
  }

  // The interval of a change that is told with the second question, or 0.
  int Told(ConfigFile& file) {
    EXPECT_FALSE(file.Changed());
    const auto result = file.Changed();
    if (!result) return 0;
    EXPECT_TRUE(result->ok());
    EXPECT_FALSE(file.Changed()) << "told twice";
    return result->config.collectd.interval;
  }

  fs::path directory_;
  fs::path path_;
  std::time_t now_ = 1'000'000'000;
};

TEST_F(ConfigFileTest, TellsAChangeOnce) {
  Write(Interval(10));
  ConfigFile file(path_, true);
  EXPECT_EQ(file.Load().config.collectd.interval, 10);
  EXPECT_EQ(Told(file), 0);

  Write(Interval(20));
  EXPECT_EQ(Told(file), 20);
  EXPECT_EQ(Told(file), 0);
}

TEST_F(ConfigFileTest, WaitsUntilTheFileIsWritten) {
  Write(Interval(10));
  ConfigFile file(path_, true);
  file.Load();

  for (const char* text : {"", "[coll", "[collectd]\ninter"}) {
    Write(text);
    EXPECT_FALSE(file.Changed());
  }
  Write(Interval(30));
  EXPECT_EQ(Told(file), 30);
}

TEST_F(ConfigFileTest, TellsAFileThatWasRenamedOverIt) {
  Write(Interval(10));
  ConfigFile file(path_, true);
  file.Load();

  // Of the same size, and as old, as an editor that restores times leaves it.
  Write(directory_ / "new", Interval(20));
  fs::last_write_time(directory_ / "new", fs::last_write_time(path_));
  fs::rename(directory_ / "new", path_);
  EXPECT_EQ(Told(file), 20);
}

TEST_F(ConfigFileTest, TellsANewTargetOfASymbolicLink) {
  Write(directory_ / "a", Interval(10));
  Write(directory_ / "b", Interval(20));
  fs::create_symlink("a", path_);
  ConfigFile file(path_, true);
  EXPECT_EQ(file.Load().config.collectd.interval, 10);

  fs::create_symlink("b", directory_ / "new");
  fs::rename(directory_ / "new", path_);
  EXPECT_EQ(Told(file), 20);
}

TEST_F(ConfigFileTest, TellsAFaultOnceAndItsRepair) {
  Write(Interval(10));
  ConfigFile file(path_, true);
  file.Load();

  Write(Interval(7));
  EXPECT_FALSE(file.Changed());
  const auto bad = file.Changed();
  ASSERT_TRUE(bad);
  ASSERT_FALSE(bad->ok());
  EXPECT_THAT(bad->errors[0].message, HasSubstr("divide 300"));
  EXPECT_FALSE(file.Changed());

  Write(Interval(10));
  EXPECT_EQ(Told(file), 10) << "as before, but no longer wrong";
}

TEST_F(ConfigFileTest, SaysThatTheFileIsGoneAndThatItIsBack) {
  Write(Interval(10));
  ConfigFile file(path_, false);
  file.Load();

  fs::remove(path_);
  EXPECT_FALSE(file.Changed());
  const auto gone = file.Changed();
  ASSERT_TRUE(gone);
  ASSERT_EQ(gone->errors.size(), 1u);
  EXPECT_THAT(gone->errors[0].message, HasSubstr("is gone"));
  EXPECT_FALSE(file.Changed());

  Write(Interval(10));
  EXPECT_EQ(Told(file), 10);
}

// Some editors remove the file before they write it.
TEST_F(ConfigFileTest, SaysNothingOfAFileThatWasAwayForAMoment) {
  Write(Interval(10));
  ConfigFile file(path_, true);
  file.Load();

  fs::remove(path_);
  EXPECT_FALSE(file.Changed());
  Write(Interval(10));
  EXPECT_EQ(Told(file), 0);
}

TEST_F(ConfigFileTest, TakesAFileThatComesLater) {
  ConfigFile file(path_, false);
  EXPECT_TRUE(file.Load().ok()) << "nobody named it";
  EXPECT_EQ(Told(file), 0);
  Write(Interval(20));
  EXPECT_EQ(Told(file), 20);

  ConfigFile named(directory_ / "other", true);
  EXPECT_FALSE(named.Load().ok());
}

TEST_F(ConfigFileTest, DoesNotTellThatTheFileWasTouched) {
  Write(Interval(10));
  ConfigFile file(path_, true);
  file.Load();
  Write(Interval(10));
  EXPECT_EQ(Told(file), 0);
}

TEST_F(ConfigFileTest, NeverWaitsForThePipeInItsPlace) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  ConfigFile file(path_, true);
  const ConfigResult result = file.Load();
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.errors[0].message, HasSubstr("no regular file"));
}

}  // namespace
}  // namespace iptrk

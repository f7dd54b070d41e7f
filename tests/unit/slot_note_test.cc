// SPDX-License-Identifier: GPL-2.0-only
#include "lib/slot_note.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tools/graph/temporary_directory.h"

namespace iptrk {
namespace {

class SlotNoteTest : public ::testing::Test {
 protected:
  std::string Path() const { return directory_.path() / "run" / "a.mark"; }

  TemporaryDirectory directory_;
  const LedgerPosition mark_{
      1790000010, {17, {1, UINT64_MAX}}, true, "[[\"eth0\",true,[1,2]]]"};
};

TEST_F(SlotNoteTest, IsReadByTheNextReaderAsItWasWritten) {
  EXPECT_TRUE(SlotNote(Path()).Write({}));
  EXPECT_TRUE(SlotNote(Path()).Write(mark_));
  EXPECT_EQ(SlotNote(Path()).Read(), mark_);
}

TEST_F(SlotNoteTest, IsNoneWhereThereIsNoneOrSomethingElse) {
  const SlotNote note(Path());
  EXPECT_EQ(note.Read(), std::nullopt);
  for (const char* text : {"", "{", "[]", "{\"end\":\"x\"}", "{\"end\":1}"}) {
    std::ofstream(Path()) << text;
    EXPECT_EQ(note.Read(), std::nullopt) << text;
  }
}

TEST_F(SlotNoteTest, SaysWhenItCannotBeWritten) {
  EXPECT_FALSE(SlotNote("/proc/none/a.mark").Write(mark_));
}

}  // namespace
}  // namespace iptrk

// SPDX-License-Identifier: GPL-2.0-only
// The ledger's file, as little of SQLite as the ledger needs.
//
// Threads: thread-compatible; a connection and its statements belong to one
// thread at a time.
// Errors: every failure is a LedgerError whose text names the file, what is
// wrong with it and what mends it.
#ifndef IPTRK_LIB_LEDGER_DATABASE_H_
#define IPTRK_LIB_LEDGER_DATABASE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "lib/volume.h"

namespace iptrk {

enum class LedgerFault {
  kMissing,   // no such file or directory, or it was moved away while open
  kReadOnly,  // not ours to write, or to read: rights, read-only file systems
  kFull,      // no space left, or a quota
  kLocked,    // another program holds it for longer than we wait
  kCorrupt,   // damaged, or no database
  kForeign,   // of a newer iptrk, or of another program
  kOther,     // input/output errors and the like
};

class LedgerError : public std::runtime_error {
 public:
  LedgerError(LedgerFault what, const std::string& text)
      : std::runtime_error(text), fault(what) {}
  LedgerFault fault;
};

// That there is no such file or directory; not of one that can't be looked for.
bool IsMissing(const std::string& path);

class LedgerStatement;

class LedgerDatabase {
 public:
  enum class Mode { kWrite, kRead };

  // kWrite makes the file, not its directory. kRead needs no right to write,
  // and works while another process writes.
  LedgerDatabase(std::string path, Mode mode);

  const std::string& path() const { return path_; }
  sqlite3* get() const { return db_.get(); }

  void Execute(const char* sql);
  LedgerStatement Prepare(const char* sql) const;
  std::int64_t Pragma(const char* name) const;

  // A file that was deleted or replaced while open would swallow what we
  // write: throws kMissing then.
  void CheckInPlace() const;

  // Throws what SQLite's `code` means here.
  [[noreturn]] void Fail(int code) const;
  // The same for contents that can't be what we wrote.
  [[noreturn]] void FailCorrupt(std::string_view what) const;

 private:
  int Open(const std::string& name, int flags);

  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::string path_;
  Mode mode_;
  std::unique_ptr<sqlite3, Close> db_;
};

// A compiled statement. Parameters are bound in order, as they are written.
class LedgerStatement {
 public:
  LedgerStatement(const LedgerDatabase& database, const char* sql);

  // Executes it once.
  template <typename... Values>
  void Run(const Values&... values) {
    Query(values...);
    while (Next()) {
    }
  }

  // Begins a query: `while (Next())`, then the columns of the row.
  template <typename... Values>
  LedgerStatement& Query(const Values&... values) {
    Reset();
    int index = 1;
    ((index = Bind(index, values)), ...);
    return *this;
  }
  bool Next();
  // Ends a query before its last row.
  void Reset() { sqlite3_reset(statement_.get()); }

  std::int64_t Integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }
  std::uint64_t Unsigned(int column) const {
    return static_cast<std::uint64_t>(Integer(column));
  }
  // Valid until the next call of Next(), Query() or Run().
  std::string_view Blob(int column) const;
  Volume VolumeAt(int column) const {
    return {Unsigned(column), Unsigned(column + 1)};
  }
  std::string Text(int column) const { return std::string(Blob(column)); }

 private:
  // Each returns the next parameter's index.
  int Bind(int index, std::int64_t value);
  int Bind(int index, int value) { return Bind(index, std::int64_t{value}); }
  int Bind(int index, bool value) { return Bind(index, std::int64_t{value}); }
  // SQLite's integers are signed: what is beyond 2^63 comes back as it was.
  int Bind(int index, std::uint64_t value) {
    return Bind(index, static_cast<std::int64_t>(value));
  }
  int Bind(int index, const Volume& volume) {
    return Bind(Bind(index, volume.bytes), volume.packets);
  }
  int Bind(int index, const std::string& text);
  int Bind(int index, std::string_view blob);

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const {
      sqlite3_finalize(statement);
    }
  };
  const LedgerDatabase& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// All or nothing: what is not committed is undone.
class LedgerTransaction {
 public:
  explicit LedgerTransaction(LedgerDatabase& database) : database_(database) {
    database_.Execute("BEGIN IMMEDIATE");
  }
  ~LedgerTransaction();
  LedgerTransaction(const LedgerTransaction&) = delete;
  LedgerTransaction& operator=(const LedgerTransaction&) = delete;

  // Durable when it returns.
  void Commit() { database_.Execute("COMMIT"); }

 private:
  LedgerDatabase& database_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_LEDGER_DATABASE_H_

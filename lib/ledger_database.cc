// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger_database.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace iptrk {
namespace {

namespace fs = std::filesystem;

// Longer than a reader's or a backup's lock lasts; what is locked for longer
// is told, and tried again by the writer.
constexpr int kBusyMs = 1000;
// A write-ahead log that grew in a bad hour doesn't stay so.
constexpr char kWriterPragmas[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA journal_size_limit = 16777216;";

LedgerFault FaultOf(int code, int error) {
  // It lacks pages that another part of it knows of.
  if (code == SQLITE_IOERR_SHORT_READ) return LedgerFault::kCorrupt;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return LedgerFault::kFull;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return LedgerFault::kLocked;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return LedgerFault::kCorrupt;
    case SQLITE_READONLY:
      return code == SQLITE_READONLY_DBMOVED ? LedgerFault::kMissing
                                             : LedgerFault::kReadOnly;
    case SQLITE_PERM:
      return LedgerFault::kReadOnly;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      break;  // the system call's error tells
    default:
      return LedgerFault::kOther;
  }
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return LedgerFault::kMissing;
    case EACCES:
    case EPERM:
    case EROFS:
      return LedgerFault::kReadOnly;
    case ENOSPC:
    case EDQUOT:
      return LedgerFault::kFull;
    default:
      return LedgerFault::kOther;
  }
}

// Not of a directory that can't be looked for.
bool LacksDirectory(const std::string& path) {
  const fs::path directory = fs::path(path).parent_path();
  std::error_code ignored;
  const fs::file_type type = fs::status(directory, ignored).type();
  return !directory.empty() && type != fs::file_type::directory &&
         type != fs::file_type::none;
}

std::string Describe(LedgerFault fault, const std::string& path,
                     LedgerDatabase::Mode mode, int code, int error) {
  switch (fault) {
    case LedgerFault::kMissing:
      if (LacksDirectory(path))
        return fmt::format(
            "{}: its directory does not exist; make it: mkdir -p {}", path,
            fs::path(path).parent_path().string());
      return fmt::format(
          "{}: does not exist; collectd's plugin iptrk makes it, at the path "
          "that [ledger] gives",
          path);
    case LedgerFault::kReadOnly:
      if (mode == LedgerDatabase::Mode::kRead)
        return fmt::format(
            "{}: can't be read ({}); give this user the right to read it and "
            "to enter its directory",
            path, error ? std::strerror(error) : sqlite3_errstr(code));
      return fmt::format(
          "{}: can't be written ({}); give this user the right to write the "
          "file and its directory, or mount it read-write",
          path, error ? std::strerror(error) : sqlite3_errstr(code));
    case LedgerFault::kFull:
      return fmt::format("{}: no space left; free some on its file system",
                         path);
    case LedgerFault::kLocked:
      return fmt::format(
          "{}: locked by another program; end what holds it: fuser -v {}", path,
          path);
    case LedgerFault::kCorrupt:
      return fmt::format("{}: damaged ({}); restore it from a backup", path,
                         sqlite3_errstr(code));
    default:
      return fmt::format("{}: {} (code {}, {}); check the disk", path,
                         sqlite3_errstr(code), code, std::strerror(error));
  }
}

// A path inside a "file:" URI.
std::string UriPath(const std::string& path) {
  std::string text;
  for (const char c : path)
    if (c == '%' || c == '?' || c == '#')
      text += fmt::format("%{:02x}", static_cast<unsigned>(c));
    else
      text += c;
  return text;
}

}  // namespace

bool IsMissing(const std::string& path) {
  std::error_code ignored;
  return fs::status(path, ignored).type() == fs::file_type::not_found;
}

int LedgerDatabase::Open(const std::string& name, int flags) {
  sqlite3* db = nullptr;
  int code =
      sqlite3_open_v2(name.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  db_.reset(db);
  if (code != SQLITE_OK) return sqlite3_extended_errcode(db);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, kBusyMs);
  // SQLite opens a file when it is first looked into.
  code = sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", nullptr,
                      nullptr, nullptr);
  return code;
}

LedgerDatabase::LedgerDatabase(std::string path, Mode mode)
    : path_(std::move(path)), mode_(mode) {
  if (mode == Mode::kRead) {
    int code = Open(path_, SQLITE_OPEN_READONLY);
    std::error_code ignored;
    // Nobody writes it, and we can't make the files that would say so: a
    // copy on a read-only medium, or in somebody else's directory.
    if (((code & 0xff) == SQLITE_CANTOPEN ||
         (code & 0xff) == SQLITE_READONLY) &&
        fs::exists(path_, ignored) && !fs::exists(path_ + "-wal", ignored))
      code = Open("file:" + UriPath(path_) + "?immutable=1",
                  SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    if (code != SQLITE_OK) Fail(code);
    return;
  }
  const int code = Open(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (code != SQLITE_OK) Fail(code);
  // So that those who may only read can, also while nobody writes.
  int persist = 1;
  sqlite3_file_control(get(), nullptr, SQLITE_FCNTL_PERSIST_WAL, &persist);
  Execute(kWriterPragmas);
}

void LedgerDatabase::Execute(const char* sql) {
  const int code = sqlite3_exec(get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) Fail(code);
}

LedgerStatement LedgerDatabase::Prepare(const char* sql) const {
  return {*this, sql};
}

std::int64_t LedgerDatabase::Pragma(const char* name) const {
  LedgerStatement statement = Prepare(fmt::format("PRAGMA {}", name).c_str());
  return statement.Next() ? statement.Integer(0) : 0;
}

void LedgerDatabase::CheckInPlace() const {
  int moved = 0;
  sqlite3_file_control(get(), nullptr, SQLITE_FCNTL_HAS_MOVED, &moved);
  if (!moved) return;
  if (LacksDirectory(path_))
    throw LedgerError(
        LedgerFault::kMissing,
        Describe(LedgerFault::kMissing, path_, mode_, SQLITE_CANTOPEN, ENOENT));
  throw LedgerError(
      LedgerFault::kMissing,
      fmt::format("{}: was deleted or replaced while in use; what it held is "
                  "where it went, and a new one is begun",
                  path_));
}

void LedgerDatabase::Fail(int code) const {
  const int error = get() ? sqlite3_system_errno(get()) : 0;
  LedgerFault fault = FaultOf(code, error);
  // The error of the last system call isn't always that of the open().
  if ((code & 0xff) == SQLITE_CANTOPEN && LacksDirectory(path_))
    fault = LedgerFault::kMissing;
  throw LedgerError(fault, Describe(fault, path_, mode_, code, error));
}

void LedgerDatabase::FailCorrupt(std::string_view what) const {
  throw LedgerError(
      LedgerFault::kCorrupt,
      fmt::format("{}: damaged ({}); restore it from a backup", path_, what));
}

LedgerStatement::LedgerStatement(const LedgerDatabase& database,
                                 const char* sql)
    : database_(database) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(
      database.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) database.Fail(code);
  statement_.reset(statement);
}

bool LedgerStatement::Next() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  // Done or failed: locks and snapshots go with the reset.
  sqlite3_reset(statement_.get());
  if (code != SQLITE_DONE) database_.Fail(code);
  return false;
}

std::string_view LedgerStatement::Blob(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int bytes = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), static_cast<std::size_t>(bytes)};
}

int LedgerStatement::Bind(int index, std::int64_t value) {
  if (sqlite3_bind_int64(statement_.get(), index, value) != SQLITE_OK)
    database_.Fail(SQLITE_MISUSE);
  return index + 1;
}

int LedgerStatement::Bind(int index, std::string_view blob) {
  // An empty view may hold a null pointer, which would become NULL.
  const char* data = blob.data() ? blob.data() : "";
  const int code = sqlite3_bind_blob64(statement_.get(), index, data,
                                       blob.size(), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) database_.Fail(code);
  return index + 1;
}

int LedgerStatement::Bind(int index, const std::string& text) {
  const int code =
      sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(),
                          SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) database_.Fail(code);
  return index + 1;
}

LedgerTransaction::~LedgerTransaction() {
  // Some errors have undone it already. What fails here is undone when the
  // file is opened next.
  if (!sqlite3_get_autocommit(database_.get()))
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace iptrk

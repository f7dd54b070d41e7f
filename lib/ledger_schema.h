// SPDX-License-Identifier: GPL-2.0-only
// The ledger's tables. All times are UTC seconds; a slot is named by its end.
#ifndef IPTRK_LIB_LEDGER_SCHEMA_H_
#define IPTRK_LIB_LEDGER_SCHEMA_H_

#include "lib/ledger_database.h"

namespace iptrk {

// Makes the tables of a new file and brings those of an older version up to
// date, in one transaction. Throws kForeign, and changes nothing, for a newer
// version and for a database of another program.
void PrepareLedger(LedgerDatabase& database);

// Throws kForeign unless a reader of this version understands the file.
void CheckLedger(const LedgerDatabase& database);

}  // namespace iptrk

#endif  // IPTRK_LIB_LEDGER_SCHEMA_H_

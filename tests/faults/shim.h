// Stands between a program and the system calls that write files, and lets a chosen one of them fail.
#pragma once

#include <string>

namespace splot::test {

/// Which call fails, and how. Only calls on files inside `folder` count.
///
///   create       open() that may make a file      sync         fsync() of a file
///   write        write()                          sync_folder  fsync() of a folder
///   close        close() of a file written to     rename       rename()
///   open_read    open() for reading               read         read()
struct Fault {
  std::string folder;
  std::string call;
  /// An errno by its name (ENOSPC, EIO, EINTR, EACCES, EDQUOT); "short": half of it is written or read;
  /// "kill": the process ends as by SIGKILL.
  std::string failure;
  int first = 1;   // the number of the first call that fails, from 1
  int period = 0;  // and every so many calls after it; 0: no other
  /// A folder into which `folder` is copied, as it is when the first call fails; empty: no copy.
  std::string snapshot = {};
};

/// From here on. A preloaded shim takes the same from the environment:
/// SPLOT_FAULT="folder|call|failure|first|period|snapshot".
void set_fault(const Fault& fault);
/// No call fails any more. Returns how many have failed.
int clear_fault();

}  // namespace splot::test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "core/file_descriptor.h"
#include "daemon/task.h"

namespace tcpdiag {

/// A thread that runs batches for the loop, one at a time.
class Worker {
 public:
  /// `stopping`: asked on the worker's thread; once true, what is left of a batch is not run.
  Worker(Clocks clocks, std::function<bool()> stopping);
  ~Worker() { stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Ends the thread, after the batch that is running, if one is.
  void stop();

  /// Hands over a batch. The one before it must have been taken back.
  void start(std::unique_ptr<Batch> batch);
  /// Readable when a batch is finished.
  [[nodiscard]] int finished_fd() const { return finished_.get(); }
  /// The batch that is finished; nullptr when none is.
  std::unique_ptr<Batch> take_finished();

 private:
  void run();

  Clocks clocks_;
  std::function<bool()> stopping_;
  FileDescriptor finished_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<Batch> waiting_, done_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace tcpdiag

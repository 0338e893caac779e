// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/web_config_file.h"

namespace tcpdiag {

/// Looks after the web configuration file and the certificates it names, on a thread of its own: a file
/// system may make one wait.
class WebConfigWatch {
 public:
  /// How often the files are looked at. A change is taken up once they stay the same from one look to the
  /// next, because a certificate and its key are not replaced at the same moment.
  static constexpr std::chrono::milliseconds kPeriod{1000};

  /// What becomes of what was read; the Error is why it cannot be taken. Called on the thread.
  using Take = std::function<Result<void>(Result<WebConfigFile>)>;

  /// `marks`: of the files as they are in force. After every change, and on reload(), `take` gets what was
  /// read.
  WebConfigWatch(std::string path, std::vector<FileMark> marks, Take take,
                 std::chrono::milliseconds period = kPeriod);
  ~WebConfigWatch();
  WebConfigWatch(const WebConfigWatch&) = delete;
  WebConfigWatch& operator=(const WebConfigWatch&) = delete;

  /// Reads the files soon, changed or not.
  void reload();
  /// Whether the latest that was read is in force.
  [[nodiscard]] bool valid() const { return valid_; }

 private:
  void run();
  void read();

  const std::string path_;
  const Take take_;
  const std::chrono::milliseconds period_;
  std::vector<FileMark> read_, seen_;  // as they were read, and at the latest look
  std::atomic<bool> valid_ = true;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool reload_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace tcpdiag

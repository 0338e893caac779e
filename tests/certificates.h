// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace tcpdiag {

/// A certificate and its key, as PEM.
struct TestCertificate {
  std::string certificate, key;
};

/// What a certificate is for, which stands in it.
enum class Purpose { authority, server, client };

struct CertificateWish {
  std::string name = "localhost";
  Purpose purpose = Purpose::server;
  const TestCertificate* issuer = nullptr;  ///< nullptr: signed by itself
  /// Subject alternative names, each with its kind: "DNS:a", "IP:10.0.0.1", "URI:a", "email:a@b".
  std::vector<std::string> names;
  bool rsa = false;      ///< otherwise it has a key on an elliptic curve
  bool expired = false;  ///< it was in force until yesterday
  unsigned bits = 2048;  ///< of the key, if it is RSA
  int days = 1;          ///< for how many it is in force yet, unless it has expired
};

/// Made at the time of the test, so that none of them runs out.
TestCertificate make_certificate(const CertificateWish& wish);

}  // namespace tcpdiag

# SPDX-License-Identifier: Apache-2.0
# The service of the tests: each answer keeps a worker for as long as SECONDS says.
import os
import time


def application(environ, start_response):
    time.sleep(float(os.environ.get("SECONDS", "0.5")))
    start_response("200 OK", [("Content-Length", "3"), ("Connection", "close")])
    return [b"ok\n"]

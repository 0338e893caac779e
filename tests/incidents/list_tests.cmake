# SPDX-License-Identifier: Apache-2.0
# Writes TESTS: a test of ctest for each scenario that PROGRAM lists. Its outcome goes to OUTCOMES.
execute_process(COMMAND ${PROGRAM} --list OUTPUT_VARIABLE scenarios COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" scenarios "${scenarios}")
set(tests "")
foreach(scenario ${scenarios})
  string(REGEX REPLACE "^[^ ]+ " "" name "${scenario}")
  string(APPEND tests "add_test(\"incidents/${scenario}\" \"${PROGRAM}\" --only ${name} --outcomes \"${OUTCOMES}\")\n"
    "set_tests_properties(\"incidents/${scenario}\" PROPERTIES LABELS incidents TIMEOUT 150 SKIP_RETURN_CODE ${SKIPPED})\n")
endforeach()
file(WRITE ${TESTS} "${tests}")

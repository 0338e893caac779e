# SPDX-License-Identifier: Apache-2.0
# What is installed beside the programs, where systemd and the shells look on any system; debian/rules moves what Debian has
# elsewhere. The unit names /usr/sbin, /etc and /var: with another prefix it has to be changed.

install(FILES systemd/tcpdiagd.service systemd/tcpdiagd.socket systemd/tcpdiagd-netns.service systemd/tcpdiagd-netns.socket
  DESTINATION lib/systemd/system)
install(FILES systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME tcpdiagd.conf)
install(FILES systemd/tcpdiagd.json DESTINATION /etc/tcpdiagd)
install(FILES systemd/default DESTINATION /etc/default RENAME tcpdiagd)
install(DIRECTORY docs/ DESTINATION share/doc/tcpdiagd FILES_MATCHING PATTERN *.md PATTERN *.png PATTERN man EXCLUDE)
install(FILES systemd/web-config.example.yml DESTINATION share/doc/tcpdiagd/examples)
install(DIRECTORY monitoring/prometheus DESTINATION share/tcpdiagd FILES_MATCHING PATTERN *.yml PATTERN *.tmpl PATTERN *.yaml)
install(DIRECTORY monitoring/kubernetes DESTINATION share/tcpdiagd FILES_MATCHING PATTERN *.yaml PATTERN *.json)
install(FILES docs/man/tcpdiagd.8 docs/man/tcpdiagd-netns.8 DESTINATION share/man/man8)
install(FILES docs/man/tcpdiag.1 DESTINATION share/man/man1)
install(FILES completions/tcpdiag completions/tcpdiagd DESTINATION share/bash-completion/completions)
install(DIRECTORY monitoring/grafana/dashboards monitoring/grafana/provisioning DESTINATION share/tcpdiagd/grafana)
install(FILES monitoring/grafana/kustomization.yaml DESTINATION share/tcpdiagd/grafana)
install(FILES completions/_tcpdiag DESTINATION share/zsh/site-functions)
install(FILES LICENSE DESTINATION share/licenses/tcpdiagd)

# Which libraries the programs load, with their versions, for who has to know whether a hole in one concerns them.
install(CODE "execute_process(COMMAND ${CMAKE_SOURCE_DIR}/packaging/sbom ${PROJECT_VERSION} $<TARGET_FILE:tcpdiagd> $<TARGET_FILE:tcpdiagd-netns> $<TARGET_FILE:tcpdiag>
  OUTPUT_FILE ${CMAKE_BINARY_DIR}/sbom.spdx.json COMMAND_ERROR_IS_FATAL ANY)")
install(FILES ${CMAKE_BINARY_DIR}/sbom.spdx.json DESTINATION share/doc/tcpdiagd)

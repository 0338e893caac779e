# SPDX-License-Identifier: Apache-2.0
# What is installed beside the programs. The unit names /usr/sbin, /etc and /var: with another prefix it has to be changed.
pkg_get_variable(units systemd systemdsystemunitdir)
if(NOT units)
  set(units lib/systemd/system)
endif()
set(TCPDIAG_UNIT_DIR ${units} CACHE STRING "Where systemd's units go")
set(TCPDIAG_ZSH_DIR share/zsh/vendor-completions CACHE STRING "Where completions for zsh go")

install(FILES systemd/tcpdiagd.service systemd/tcpdiagd.socket DESTINATION ${TCPDIAG_UNIT_DIR})
install(FILES systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME tcpdiagd.conf)
install(FILES systemd/tcpdiagd.json DESTINATION /etc/tcpdiagd)
install(FILES systemd/default DESTINATION /etc/default RENAME tcpdiagd)
install(FILES systemd/namespaces.conf systemd/web-config.example.yml DESTINATION share/doc/tcpdiagd/examples)
install(DIRECTORY monitoring/prometheus DESTINATION share/tcpdiagd FILES_MATCHING PATTERN *.yml PATTERN *.tmpl)
install(FILES docs/man/tcpdiagd.8 DESTINATION share/man/man8)
install(FILES docs/man/tcpdiag.1 DESTINATION share/man/man1)
install(FILES completions/tcpdiag completions/tcpdiagd DESTINATION share/bash-completion/completions)
install(FILES completions/_tcpdiag DESTINATION ${TCPDIAG_ZSH_DIR})

# SPDX-License-Identifier: Apache-2.0
# cpack -G RPM and cpack -G TGZ. The Debian package is debhelper's (docs/adr/0012).
set(CPACK_PACKAGE_NAME tcpdiagd)
set(CPACK_PACKAGE_VENDOR "The tcpdiagd authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Says why TCP connections are reset or time out")
set(CPACK_PACKAGE_FILE_NAME tcpdiagd-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_SET_DESTDIR ON)  # what goes to /etc is part of the package
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)

set(CPACK_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_PACKAGE_DESCRIPTION "It watches accept queues, half-open connections, resets, TIME_WAIT, ephemeral ports and file
descriptors, and names the limit that bites, with the numbers that prove it and what to change. It changes nothing
itself. Prometheus, a page, JSON and the journal show it; the command tcpdiag asks without the daemon.")
set(CPACK_RPM_PACKAGE_REQUIRES systemd)
set(CPACK_RPM_PACKAGE_REQUIRES_POST systemd)
set(CPACK_RPM_PACKAGE_REQUIRES_PREUN systemd)
set(CPACK_RPM_PACKAGE_REQUIRES_POSTUN systemd)
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${CMAKE_SOURCE_DIR}/packaging/rpm/post)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${CMAKE_SOURCE_DIR}/packaging/rpm/preun)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${CMAKE_SOURCE_DIR}/packaging/rpm/postun)
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/tcpdiagd/tcpdiagd.json" "%config(noreplace) /etc/default/tcpdiagd")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /etc /etc/default /usr/sbin /usr/lib/systemd /usr/lib/systemd/system
  /usr/lib/sysusers.d /usr/share/man /usr/share/man/man1 /usr/share/man/man8 /usr/share/bash-completion
  /usr/share/bash-completion/completions /usr/share/zsh /usr/share/zsh/site-functions /usr/share/licenses)
include(CPack)

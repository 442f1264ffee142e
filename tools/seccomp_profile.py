"""Writes docker/seccomp.json: which system calls a worker's container may make.

Chromium's sandbox makes user namespaces, which Docker's ordinary profile refuses; turning the filter off altogether
would allow far more than that. This one refuses what a browser has no business with. It is made from the kernel's own
list of calls (package linux-libc-dev): `python tools/seccomp_profile.py > docker/seccomp.json`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

HEADERS = ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm-generic/unistd.h")

REFUSED = {
    "modules and other kernels": "init_module finit_module delete_module create_module query_module get_kernel_syms"
    " kexec_load kexec_file_load reboot",
    "file systems of one's own": "mount umount umount2 pivot_root move_mount open_tree open_tree_attr fsopen fsconfig"
    " fsmount fspick mount_setattr statmount listmount swapon swapoff quotactl quotactl_fd nfsservctl"
    " open_by_handle_at name_to_handle_at",
    "other processes' insides": "ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd perf_event_open"
    " userfaultfd",
    "programs in the kernel": "bpf io_uring_setup io_uring_enter io_uring_register",
    "keys of the kernel's": "add_key request_key keyctl",
    "the machine's clock and name": "settimeofday stime clock_settime clock_settime64 clock_adjtime clock_adjtime64"
    " adjtimex sethostname setdomainname",
    "other namespaces than new ones": "setns",
    "ports, placement of memory, and what is obsolete": "iopl ioperm acct syslog vhangup lookup_dcookie uselib ustat"
    " sysfs _sysctl personality mbind set_mempolicy set_mempolicy_home_node migrate_pages move_pages fanotify_init"
    " vserver afs_syscall getpmsg putpmsg security tuxcall epoll_ctl_old epoll_wait_old",
}
"""Calls by what they are for."""


def profile() -> dict[str, object]:
    """The profile in the form that container engines read."""
    known: set[str] = set()
    for header in HEADERS:
        text = Path(header).read_text()
        known.update(re.findall(r"^#define __NR(?:3264)?_(\w+)\s+\S", text, re.MULTILINE))
    known -= {"syscalls", "arch_specific_syscall"}
    refused = {name for names in REFUSED.values() for name in names.split()}
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 38,  # ENOSYS: who can do without a call then does
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
        ],
        "syscalls": [{"names": sorted(known - refused), "action": "SCMP_ACT_ALLOW"}],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(profile(), indent=1) + "\n")

package main

// What ties a child's life to its parent's on Linux: the kernel's parent death signal. It needs
// no cooperation of the child and holds when the parent is killed with SIGKILL.

import (
	"os"
	"syscall"
)

func dyingWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

func dieWithParent() error {
	parent := os.Getppid()
	_, _, failure := syscall.RawSyscall6(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0, 0)
	if failure != 0 {
		return failure
	}
	if os.Getppid() != parent {
		os.Exit(1) // it died before the kernel was told
	}
	return nil
}

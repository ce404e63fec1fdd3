//go:build !linux

package main

// Elsewhere the kernel offers no parent death signal: children are killed by the supervisor when
// its stdin closes, and only a SIGKILL of the supervisor itself can leave them behind.

import "syscall"

func dyingWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func dieWithParent() error { return nil }

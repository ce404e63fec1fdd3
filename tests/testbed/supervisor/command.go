package main

// A command that lives no longer than who asked for it: a `helm install --wait` would otherwise
// go on for minutes after its test was killed.

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// becomeCommand replaces this process by the command, and returns only if that fails.
func becomeCommand(command []string) error {
	path, err := exec.LookPath(command[0])
	if err != nil {
		return fmt.Errorf("find the command %s: %w", command[0], err)
	}
	if err := dieWithParent(); err != nil {
		return fmt.Errorf("tie %s to the life of its parent: %w", path, err)
	}
	return fmt.Errorf("run %s: %w", path, syscall.Exec(path, command, os.Environ()))
}

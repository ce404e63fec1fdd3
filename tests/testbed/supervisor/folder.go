package main

// The testbed's folder: made when it starts, removed when it ends. One whose supervisor was
// killed cannot be removed by it, so whoever starts next does that; a lock, which the kernel
// drops with its holder, tells the dead from the living. Nothing but such folders is removed.

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const folderPrefix = "pintle-testbed-"

// makeFolder makes and locks a new folder, after removing those of supervisors that are gone.
func makeFolder() (string, error) {
	root := os.TempDir()
	removeAbandoned(root)
	folder, err := os.MkdirTemp(root, folderPrefix)
	if err != nil {
		return "", fmt.Errorf("make a folder for the testbed: %w", err)
	}
	// Locked before it gets its name, so that no other supervisor meets it unlocked.
	unnamed := filepath.Join(folder, "alive.new")
	if _, err := lock(unnamed, os.O_CREATE); err != nil {
		return "", fmt.Errorf("lock the testbed folder %s: %w", folder, err)
	}
	if err := os.Rename(unnamed, filepath.Join(folder, "alive")); err != nil {
		return "", fmt.Errorf("lock the testbed folder %s: %w", folder, err)
	}
	return folder, nil
}

func removeAbandoned(root string) {
	folders, _ := filepath.Glob(filepath.Join(root, folderPrefix+"*"))
	for _, folder := range folders {
		held, err := lock(filepath.Join(folder, "alive"), 0)
		if err == nil {
			_ = os.RemoveAll(folder)
			_ = held.Close()
			continue
		}
		// Killed between making the folder and locking it: a moment that no living one takes
		// an hour for.
		info, statError := os.Stat(folder)
		if os.IsNotExist(err) && statError == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.RemoveAll(folder)
		}
	}
}

// locked keeps the lock files reachable: a collected file would be closed, and the lock dropped.
var locked []*os.File

func lock(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|flags, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, err
	}
	locked = append(locked, file)
	return file, nil
}

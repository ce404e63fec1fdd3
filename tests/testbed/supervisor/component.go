package main

// One process of the testbed: started, polled until it is ready, stopped, started again. Its
// output goes to a file of its own, whose tail is told when it fails. A component never starts
// other processes, and is started by the main goroutine alone (see main.go).

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	readyTimeout = 90 * time.Second
	pollEvery    = 20 * time.Millisecond
	logTailLines = 25
)

// Component is one process. Its arguments depend on its port, which is chosen when it first
// starts and kept from then on.
type Component struct {
	name   string
	binary string
	folder string
	serves bool
	// prepare, if there is one, writes what the process will read.
	prepare func(port int) error
	// arguments is asked anew whenever another port has to be tried.
	arguments func(port int) []string
	// ready is polled until it returns nil.
	ready func(port int) error
	ended chan<- *Component

	port int
	// Set once clients have been told the port: from then on it may not change.
	settled bool
	guard   sync.Mutex
	// The running process, or nil.
	command  *exec.Cmd
	finished chan struct{}
	stopping bool
	failure  error
}

func (component *Component) logPath() string {
	return filepath.Join(component.folder, component.name+".log")
}

// start starts the process and does not wait for it.
func (component *Component) start() error {
	if component.isRunning() {
		return fmt.Errorf("start %s: it is running", component.name)
	}
	if component.serves && component.port == 0 {
		port, err := freePort()
		if err != nil {
			return fmt.Errorf("find a port for %s: %w", component.name, err)
		}
		component.port = port
	}
	if component.prepare != nil {
		if err := component.prepare(component.port); err != nil {
			return fmt.Errorf("prepare %s: %w", component.name, err)
		}
	}
	log, err := os.OpenFile(component.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", component.name, err)
	}
	defer log.Close()
	command := exec.Command(component.binary, component.arguments(component.port)...)
	command.Dir = component.folder
	// Nothing of the user's environment: a proxy or a KUBECONFIG there must not change a test.
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + component.folder, "TMPDIR=" + component.folder,
		"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none", "OTEL_LOGS_EXPORTER=none"}
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = dyingWithParent()

	component.guard.Lock()
	defer component.guard.Unlock()
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", component.name, err)
	}
	finished := make(chan struct{})
	component.command, component.finished, component.stopping, component.failure = command, finished, false, nil
	go func() {
		failure := command.Wait()
		component.guard.Lock()
		component.failure = failure
		component.guard.Unlock()
		close(finished)
		component.ended <- component
	}()
	return nil
}

// awaitReady polls until the component answers. One that lost its port to another process
// between choosing and binding it gets another port.
func (component *Component) awaitReady() error {
	deadline := time.Now().Add(readyTimeout)
	for attempt := 0; ; {
		err := component.ready(component.port)
		if err == nil {
			component.settled = true
			return nil
		}
		if !component.isRunning() {
			attempt++
			if attempt < 5 && !component.settled && strings.Contains(component.logTail(), "address already in use") {
				component.setExpected()
				component.port = 0
				if err := component.start(); err != nil {
					return err
				}
				continue
			}
			component.setExpected()
			return component.endedError()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready after %s: %w\n%s", component.name, readyTimeout, err, component.logTail())
		}
		time.Sleep(pollEvery)
	}
}

// stop kills the process and waits for its end. What it stored is thrown away or was stored
// before it answered, so there is nothing that a gentler end would save.
func (component *Component) stop() error {
	component.setExpected()
	component.guard.Lock()
	command, finished := component.command, component.finished
	component.guard.Unlock()
	if command == nil {
		return nil
	}
	_ = command.Process.Kill()
	select {
	case <-finished:
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("stop %s: process %d does not end", component.name, command.Process.Pid)
	}
}

func (component *Component) isRunning() bool {
	component.guard.Lock()
	defer component.guard.Unlock()
	if component.finished == nil {
		return false
	}
	select {
	case <-component.finished:
		return false
	default:
		return true
	}
}

func (component *Component) setExpected() {
	component.guard.Lock()
	defer component.guard.Unlock()
	component.stopping = true
}

func (component *Component) endExpected() bool {
	component.guard.Lock()
	defer component.guard.Unlock()
	return component.stopping
}

func (component *Component) endedError() error {
	component.guard.Lock()
	failure := component.failure
	component.guard.Unlock()
	return fmt.Errorf("%s ended by itself (%v); the end of its log:\n%s", component.name, failure, component.logTail())
}

func (component *Component) logTail() string {
	log, err := os.ReadFile(component.logPath())
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	if len(lines) > logTailLines {
		lines = lines[len(lines)-logTailLines:]
	}
	return "  " + string(bytes.Join(lines, []byte("\n  ")))
}

// freePort finds a port that can be bound now. It stays below the ports that kernels give to
// outgoing connections, which would otherwise take it before the component does.
func freePort() (int, error) {
	var last error
	for range 100 {
		port := 12000 + rand.IntN(20000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, listener.Close()
		}
		last = err
	}
	return 0, last
}

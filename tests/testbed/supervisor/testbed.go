package main

// One testbed from start to end: what starts after what, and how everything is thrown away.
// It knows the order; what each component is told stands in control_plane.go.

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

// Testbed is the folder, the components and whether the end has begun.
type Testbed struct {
	folder   string
	binaries string
	kwok     string
	registry string
	audit    bool
	ended    chan *Component

	guard   sync.Mutex
	list    []*Component
	endOnce sync.Once
}

// start returns when the nodes are ready to run pods and the registry answers.
func (testbed *Testbed) start() (*Ready, error) {
	secrets, err := makeSecrets(testbed.folder)
	if err != nil {
		return nil, err
	}
	if err := testbed.writeManifests(); err != nil {
		return nil, err
	}
	chartsPath, chartsURL, err := serveCharts(testbed.folder)
	if err != nil {
		return nil, err
	}

	etcd := testbed.etcd()
	apiServer := testbed.apiServer(secrets)
	registry := testbed.ociRegistry()
	for _, component := range []*Component{etcd, apiServer, registry} {
		if err := testbed.begin(component); err != nil {
			return nil, err
		}
	}
	for _, component := range []*Component{etcd, apiServer, registry} {
		if err := component.awaitReady(); err != nil {
			return nil, err
		}
	}

	server := fmt.Sprintf("https://127.0.0.1:%d", apiServer.port)
	for _, user := range users {
		if err := secrets.writeKubeconfig(testbed.kubeconfig(user), server, user); err != nil {
			return nil, err
		}
	}
	// Written again under the name that people are given.
	kubeconfig := filepath.Join(testbed.folder, "kubeconfig")
	if err := secrets.writeKubeconfig(kubeconfig, server, users[0]); err != nil {
		return nil, err
	}

	api := newAPI(server, secrets)
	rest := []*Component{testbed.controllerManager(secrets, api), testbed.scheduler(api), testbed.fakeNodes(secrets, api)}
	for _, component := range rest {
		if err := testbed.begin(component); err != nil {
			return nil, err
		}
	}
	if err := api.createBasics(); err != nil {
		return nil, err
	}
	for _, component := range rest {
		if err := component.awaitReady(); err != nil {
			return nil, err
		}
	}
	ready := &Ready{
		Folder:     testbed.folder,
		Kubeconfig: kubeconfig,
		Server:     server,
		Registry:   fmt.Sprintf("127.0.0.1:%d", registry.port),
		ChartsURL:  chartsURL,
		ChartsPath: chartsPath,
	}
	if testbed.audit {
		ready.AuditLog = testbed.auditLog()
	}
	return ready, nil
}

// begin adds the component to those that the end will stop, then starts it.
func (testbed *Testbed) begin(component *Component) error {
	component.folder = testbed.folder
	component.ended = testbed.ended
	testbed.guard.Lock()
	testbed.list = append(testbed.list, component)
	testbed.guard.Unlock()
	return component.start()
}

func (testbed *Testbed) components() []*Component {
	testbed.guard.Lock()
	defer testbed.guard.Unlock()
	return append([]*Component(nil), testbed.list...)
}

// end kills every child, removes the folder and exits. It may be called from any goroutine, at
// any time: a child that starts meanwhile dies with this process.
func (testbed *Testbed) end(status int) {
	testbed.endOnce.Do(func() {
		for _, component := range testbed.components() {
			component.setExpected()
		}
		for _, component := range testbed.components() {
			_ = component.stop()
		}
		if os.Getenv("PINTLE_TESTBED_KEEP") == "" {
			_ = os.RemoveAll(testbed.folder)
		} else {
			fmt.Fprintln(os.Stderr, "testbed: kept", testbed.folder)
		}
		os.Exit(status)
	})
}

// serveCharts serves a folder, to which a test writes an index and archives. It lives in this
// process, so its port is never lost to another.
func serveCharts(folder string) (path, url string, err error) {
	path = filepath.Join(folder, "charts")
	if err := os.Mkdir(path, 0o700); err != nil {
		return "", "", fmt.Errorf("make the chart repository's folder: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", fmt.Errorf("listen for the chart repository: %w", err)
	}
	go func() { _ = http.Serve(listener, http.FileServer(http.Dir(path))) }()
	return path, fmt.Sprintf("http://%s", listener.Addr()), nil
}

package main

// The few requests that the supervisor itself sends to the API server: is it ready, make the
// nodes and the default StorageClass, are the nodes ready. Nothing else is made here; a test
// makes its own objects.

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// API speaks to one API server.
type API struct {
	server string
	token  string
	client *http.Client
}

func newAPI(server string, secrets *Secrets) *API {
	return &API{
		server: server,
		token:  secrets.tokenOf[users[0]],
		client: &http.Client{
			Timeout:   10 * time.Second,
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: secrets.authorityPool}},
		},
	}
}

func (api *API) get(path string, into any) error {
	return api.send(http.MethodGet, path, nil, into)
}

func (api *API) send(method, path string, content []byte, into any) error {
	request, err := http.NewRequest(method, api.server+path, bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header.Set("Authorization", "Bearer "+api.token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "pintle-testbed")
	response, err := api.client.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

var nodeNames = []string{"node-1", "node-2"}

const (
	// Provisioner is the name by which the stages in volumes.yaml know their claims.
	provisioner   = "testbed.pintle.dev/volumes"
	notReadyTaint = "node.kubernetes.io/not-ready"
)

// createBasics makes what a new cluster brings along: nodes and a default StorageClass.
func (api *API) createBasics() error {
	type object = map[string]any
	for number, name := range nodeNames {
		node := object{"apiVersion": "v1", "kind": "Node", "metadata": object{
			"name": name,
			"labels": object{
				"kubernetes.io/hostname":        name,
				"kubernetes.io/os":              "linux",
				"kubernetes.io/arch":            "amd64",
				"topology.kubernetes.io/region": "testbed",
				"topology.kubernetes.io/zone":   fmt.Sprintf("testbed-%d", number+1),
			},
		}}
		if err := api.create("/api/v1/nodes", node); err != nil {
			return err
		}
	}
	return api.create("/apis/storage.k8s.io/v1/storageclasses", object{
		"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
		"metadata": object{
			"name":        "standard",
			"annotations": object{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		"provisioner":       provisioner,
		"reclaimPolicy":     "Delete",
		"volumeBindingMode": "Immediate",
	})
}

func (api *API) create(path string, object map[string]any) error {
	content, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("create an object in %s: %w", path, err)
	}
	return api.send(http.MethodPost, path, content, nil)
}

// nodesReady also waits for the controller manager to lift the taint of new nodes: before that,
// no pod is scheduled.
func (api *API) nodesReady() error {
	var nodes struct {
		Items []struct {
			Metadata struct{ Name string }
			Spec     struct{ Taints []struct{ Key string } }
			Status   struct {
				Conditions []struct{ Type, Status string }
			}
		}
	}
	if err := api.get("/api/v1/nodes", &nodes); err != nil {
		return err
	}
	if len(nodes.Items) < len(nodeNames) {
		return fmt.Errorf("%d of %d nodes exist", len(nodes.Items), len(nodeNames))
	}
	for _, node := range nodes.Items {
		ready := false
		for _, condition := range node.Status.Conditions {
			ready = ready || condition.Type == "Ready" && condition.Status == "True"
		}
		if !ready {
			return fmt.Errorf("node %s is not ready", node.Metadata.Name)
		}
		for _, taint := range node.Spec.Taints {
			if taint.Key == notReadyTaint {
				return fmt.Errorf("node %s still has the taint %s", node.Metadata.Name, taint.Key)
			}
		}
	}
	return nil
}

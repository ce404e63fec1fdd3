{{- define "D" }}[{{ . }}]{{ end -}}
{{- define "c.name" }}{{ .Values.s | trunc 63 | trimSuffix "-" }}{{ end -}}
{{- define "c.labels" }}
app: {{ include "c.name" . | quote }}
release: {{ .Release.Name }}
{{- end -}}

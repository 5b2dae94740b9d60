{{/* Parts of pods that are the same everywhere. */}}

{{/* What Pod Security "restricted" asks for, and more. */}}
{{- define "ordo.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "ordo.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* Where pods go. (list $ component values [pool]) */}}
{{- define "ordo.placement" -}}
{{- $root := index . 0 -}}
{{- $values := index . 2 -}}
{{- $of := list $root (index . 1) -}}
{{- if gt (len .) 3 }}{{ $of = append $of (index . 3) }}{{ end -}}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
topologySpreadConstraints:
{{- if $values.topologySpreadConstraints }}
  {{- toYaml $values.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "ordo.selector" $of | nindent 8 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The way to PostgreSQL, for brokers and migration. */}}
{{- define "ordo.databaseEnv" -}}
{{- with .Values.database }}
{{- if .host }}
- {name: PGHOST, value: {{ .host | quote }}}
- {name: PGPORT, value: {{ .port | quote }}}
- {name: PGDATABASE, value: {{ .name | quote }}}
- {name: PGUSER, value: {{ .user | quote }}}
- {name: PGSSLMODE, value: {{ .sslmode | quote }}}
- name: PGPASSWORD
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .passwordKey }}}}
{{- else }}
- name: ORDO_DATABASE
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .dsnKey }}}}
{{- end }}
{{- if .caSecret }}
{{- if not .host }}
# For a connection string that does not say it itself.
- {name: PGSSLMODE, value: {{ .sslmode | quote }}}
{{- end }}
- {name: PGSSLROOTCERT, value: /etc/ordo/database/ca.crt}
{{- end }}
{{- end }}
{{- end -}}

{{- define "ordo.databaseMounts" -}}
{{- if .Values.database.caSecret }}
- {name: database-ca, mountPath: /etc/ordo/database, readOnly: true}
{{- end }}
{{- end -}}

{{- define "ordo.databaseVolumes" -}}
{{- with .Values.database }}
{{- if .caSecret }}
- name: database-ca
  secret:
    secretName: {{ .caSecret }}
    items: [{key: {{ .caKey }}, path: ca.crt}]
{{- end }}
{{- end }}
{{- end -}}

{{/* An own key beside the brokers' public one. (list $ secret entry…) */}}
{{- define "ordo.keysVolume" -}}
{{- $root := index . 0 -}}
- name: keys
  projected:
    defaultMode: 288 # 0440; octal numbers mean different things to different readers of YAML
    sources:
      - secret:
          name: {{ index . 1 }}
          items:
            {{- range slice . 2 }}
            - {key: {{ . }}, path: {{ . }}}
            {{- end }}
      - secret:
          name: {{ $root.Values.keys.existingSecret }}
          items: [{key: broker.key.pub, path: broker.key.pub}]
{{- end -}}

{{/* (list path period failures) */}}
{{- define "ordo.probe" -}}
httpGet: {path: {{ index . 0 }}, port: {{ index . 1 }}}
periodSeconds: {{ index . 2 }}
timeoutSeconds: 2
failureThreshold: {{ index . 3 }}
{{- end -}}

{{- define "ordo.migrateContainer" -}}
name: migrate
image: {{ include "ordo.image" (list . dict) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [ordo-migrate]
args: ["--shards", {{ .Values.broker.shards | quote }}, "--first-shard", {{ .Values.broker.firstShard | quote }}]
env: {{- include "ordo.databaseEnv" . | nindent 2 }}
{{ include "ordo.containerSecurity" . }}
resources: {{- toYaml .Values.migrate.resources | nindent 2 }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- include "ordo.databaseMounts" . | nindent 2 }}
{{- end -}}

// Decides requests with @cloud-copilot/iam-simulate (AGPL-3.0): a development tool in a process of its own, which no
// deployment contains. Reads {"layers": [...], "requests": [[layer, principal, action, resource, account, context]]} from
// standard input and writes one outcome for each request: Allowed, ImplicitlyDenied, ExplicitlyDenied, or error:<why>.
import { runSimulation } from '@cloud-copilot/iam-simulate'

const chunks = []
for await (const chunk of process.stdin) chunks.push(chunk)
const { layers, requests } = JSON.parse(Buffer.concat(chunks).toString('utf8'))

const named = (documents) => (documents ?? []).map((policy, index) => ({ name: `policy${index}`, policy }))
// The simulator takes "*" only as the principal of an endpoint policy; {"AWS": "*"} means the same to AWS.
const anyone = (policy) => ({
  ...policy,
  Statement: policy.Statement.map((s) => (JSON.stringify(s.Principal) === '{"AWS":"*"}' ? { ...s, Principal: '*' } : s)),
})
const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }

const prepared = layers.map((layer) => ({
  identityPolicies: named(layer.identity),
  permissionBoundaryPolicies: layer.boundary ? named(layer.boundary) : undefined,
  vpcEndpointPolicies: layer.endpoint ? named(layer.endpoint.map(anyone)) : undefined,
  sessionPolicy: layer.session ? layer.session[0] : undefined,
  serviceControlPolicies: [{ orgIdentifier: 'root', policies: named(layer.scp ?? [everything]) }],
  resourceControlPolicies: [],
}))

const outcomes = []
for (const [layer, principal, action, resource, accountId, contextVariables] of requests) {
  const simulation = { ...prepared[layer], request: { principal, action, resource: { resource, accountId }, contextVariables } }
  const answer = await runSimulation(simulation, { simulationMode: 'Strict' })
  outcomes.push(answer.resultType === 'error' ? `error:${answer.errors.message}` : answer.overallResult)
}
process.stdout.write(JSON.stringify(outcomes))

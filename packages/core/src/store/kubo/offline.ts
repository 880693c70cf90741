/**
 * To commands that read. A node with connections asks its peers for a block that it does not hold: that would tell them the CID, and
 * take as long as the deadline. What is not here is missing. (https://docs.ipfs.tech/reference/kubo/rpc/, global options)
 */
export const offline = { offline: true }

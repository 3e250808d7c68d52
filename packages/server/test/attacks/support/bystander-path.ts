/** What bystanders ask for, where a server treats its attackers in another way. */
export const BYSTANDER_PATH = '/bystander'

/** The GraphQL API, as the dashboard calls it: one function per operation. */

import classifyDocument from "../operations/dashboard/classify.graphql";
import createKeyDocument from "../operations/dashboard/create-key.graphql";
import jobsDocument from "../operations/dashboard/jobs.graphql";
import keysDocument from "../operations/dashboard/keys.graphql";
import renameKeyDocument from "../operations/dashboard/rename-key.graphql";
import revokeKeyDocument from "../operations/dashboard/revoke-key.graphql";
import usageDocument from "../operations/dashboard/usage.graphql";
import viewerDocument from "../operations/dashboard/viewer.graphql";
import type {
  Account,
  ApiKey,
  Budget,
  Classified,
  ClassifyInput,
  InputType,
  JobPage,
  JobStatus,
  Usage,
  UserError,
} from "./types";

/** The server refused or could not be reached; the message is for the reader. */
export class ApiError extends Error {}

/** The key is missing, wrong or revoked. */
export class Unauthorized extends ApiError {}

interface Answer<T> {
  data?: T | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

export interface JobFilter {
  status?: JobStatus;
  inputType?: InputType;
}

export class Api {
  constructor(readonly key: string) {}

  async viewer(): Promise<Account> {
    return (await this.#send<{ viewer: Account }>(viewerDocument)).viewer;
  }

  async usage(month: string | null): Promise<Usage> {
    const { usage, viewer } = await this.#send<{
      usage: Omit<Usage, "budget">;
      viewer: { budget: Budget | null };
    }>(usageDocument, { month });
    return { ...usage, budget: viewer.budget };
  }

  async classify(input: ClassifyInput): Promise<Classified> {
    const { classify } = await this.#send<{
      classify: { job: Classified | null; errors: UserError[] };
    }>(classifyDocument, { input });
    refuse(classify.errors);
    if (classify.job === null) throw new ApiError("The server answered without a job.");
    return classify.job;
  }

  async jobs(filter: JobFilter, first: number, after: string | null): Promise<JobPage> {
    const variables = { filter, first, after };
    return (await this.#send<{ jobs: JobPage }>(jobsDocument, variables)).jobs;
  }

  async keys(): Promise<ApiKey[]> {
    return (await this.#send<{ apiKeys: ApiKey[] }>(keysDocument)).apiKeys;
  }

  /** Gives the secret, which the server never tells again. */
  async createKey(name: string): Promise<string> {
    const { createApiKey } = await this.#send<{
      createApiKey: { secret: string | null; errors: UserError[] };
    }>(createKeyDocument, { input: { name } });
    refuse(createApiKey.errors);
    if (createApiKey.secret === null) throw new ApiError("The server answered without a key.");
    return createApiKey.secret;
  }

  async renameKey(id: string, name: string): Promise<void> {
    const { renameApiKey } = await this.#send<{ renameApiKey: { errors: UserError[] } }>(
      renameKeyDocument,
      { input: { id, name } },
    );
    refuse(renameApiKey.errors);
  }

  async revokeKey(id: string): Promise<void> {
    const { revokeApiKey } = await this.#send<{ revokeApiKey: { errors: UserError[] } }>(
      revokeKeyDocument,
      { input: { id } },
    );
    refuse(revokeApiKey.errors);
  }

  async #send<T>(query: string, variables: object = {}): Promise<T> {
    const response = await this.#post({ query, variables });
    if (response.status === 401) {
      throw new Unauthorized("The server does not accept this API key.");
    }
    const answer = await readAnswer<T>(response);
    const [error] = answer.errors ?? [];
    if (error) throw new ApiError(error.message);
    if (!answer.data) throw new ApiError(`The server answered with status ${response.status}.`);
    return answer.data;
  }

  async #post(body: object): Promise<Response> {
    // A pasted key may hold anything; a header may not.
    if (!/^[\x21-\x7e]+$/.test(this.key)) {
      throw new Unauthorized("An API key has letters, digits and underscores only.");
    }
    try {
      return await fetch("/graphql", {
        method: "POST",
        credentials: "omit",
        headers: {
          Accept: "application/json",
          Authorization: `Bearer ${this.key}`,
          "Content-Type": "application/json",
        },
        body: JSON.stringify(body),
      });
    } catch {
      throw new ApiError("The server cannot be reached.");
    }
  }
}

async function readAnswer<T>(response: Response): Promise<Answer<T>> {
  try {
    return (await response.json()) as Answer<T>;
  } catch {
    throw new ApiError(`The server answered with status ${response.status}.`);
  }
}

function refuse(errors: UserError[]): void {
  if (errors.length > 0) throw new ApiError(errors.map((error) => error.message).join("\n"));
}
